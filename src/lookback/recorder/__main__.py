"""`python -m lookback.recorder`: the recorder process, configured by the environment."""

from lookback.recorder.worker import main

if __name__ == "__main__":
    main()
