"""The database browser for administrators at /studio: it shows, and changes nothing (docs/adr/0008)."""
