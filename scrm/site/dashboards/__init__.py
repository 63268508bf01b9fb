"""The manager's pages: numbers, the funnel, the rows behind them, and what they mean."""
