"""The SQL adapter: SQLAlchemy models, repositories and Alembic migrations."""
