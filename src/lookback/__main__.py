"""`python -m lookback` is the command `lookback`."""

from lookback.cli.main import app

if __name__ == "__main__":
    app()
