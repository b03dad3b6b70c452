"""What an installation depends on, looked at and judged: facts are gathered by `look_*`, judgements are pure."""
