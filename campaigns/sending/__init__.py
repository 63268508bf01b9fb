"""Sending broadcasts: plan whom, pace when, deliver each task once, reconcile with what the platform tells."""
