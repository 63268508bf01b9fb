"""Signing in through WeCom: to the platform's page and back (`trip`), and what the console makes of it (`console`)."""
