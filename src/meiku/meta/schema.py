"""The schema, as the steps that lead to it: SQLite's own words, kept out of the statements.

A step is never changed once it has been released; a change is a new step at the end. The number of steps a
database has taken is its version. `bucket_id` leads every key, and keys are bytes, so they sort as S3 sorts.
"""

from typing import Final

_FIRST: Final = """
CREATE TABLE settings_version (version INTEGER NOT NULL) STRICT;
INSERT INTO settings_version (version) VALUES (1);

CREATE TABLE users (
    user_id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    active INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX users_email ON users (lower(email)) WHERE email <> '';

CREATE TABLE keys (
    access_key TEXT PRIMARY KEY,
    secret_key TEXT NOT NULL,
    user_id TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    active INTEGER NOT NULL,
    session_token TEXT,
    expires_at_s INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX keys_user ON keys (user_id);
CREATE INDEX keys_expiry ON keys (expires_at_s) WHERE expires_at_s IS NOT NULL;

-- AUTOINCREMENT: an id that has been used never names another bucket, or other bytes, again.
CREATE TABLE buckets (
    bucket_id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    owner_id TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    location TEXT NOT NULL
) STRICT;
CREATE INDEX buckets_owner ON buckets (owner_id, name);

CREATE TABLE bucket_settings (
    bucket_id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (bucket_id, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE objects (
    bucket_id INTEGER NOT NULL,
    key BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified_at_ms INTEGER NOT NULL,
    owner_id TEXT NOT NULL,
    storage_class TEXT NOT NULL,
    content_kind TEXT NOT NULL,
    content_id TEXT,
    inline_id INTEGER,
    checksums TEXT NOT NULL,
    headers TEXT NOT NULL,
    metadata TEXT NOT NULL,
    acl TEXT,
    PRIMARY KEY (bucket_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX objects_content ON objects (content_id) WHERE content_id IS NOT NULL;

CREATE TABLE inline_bytes (inline_id INTEGER PRIMARY KEY AUTOINCREMENT, data BLOB NOT NULL) STRICT;

CREATE TABLE uploads (
    upload_id TEXT PRIMARY KEY,
    bucket_id INTEGER NOT NULL,
    key BLOB NOT NULL,
    initiated_at_ms INTEGER NOT NULL,
    owner_id TEXT NOT NULL,
    initiator_id TEXT NOT NULL,
    storage_class TEXT NOT NULL,
    headers TEXT NOT NULL,
    metadata TEXT NOT NULL,
    acl TEXT,
    checksum_algorithm TEXT,
    checksum_type TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_key ON uploads (bucket_id, key, upload_id);

CREATE TABLE parts (
    upload_id TEXT NOT NULL,
    part_number INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    etag TEXT NOT NULL,
    modified_at_ms INTEGER NOT NULL,
    content_kind TEXT NOT NULL,
    content_id TEXT,
    inline_id INTEGER,
    checksums TEXT NOT NULL,
    offset_bytes INTEGER NOT NULL,
    PRIMARY KEY (upload_id, part_number)
) STRICT, WITHOUT ROWID;
CREATE INDEX parts_content ON parts (content_id) WHERE content_id IS NOT NULL;

CREATE TABLE completed_uploads (
    upload_id TEXT PRIMARY KEY,
    bucket_id INTEGER NOT NULL,
    key BLOB NOT NULL,
    etag TEXT NOT NULL,
    completed_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX completed_uploads_age ON completed_uploads (completed_at_ms);

CREATE TABLE released_blobs (
    blob_id TEXT PRIMARY KEY,
    released_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX released_blobs_age ON released_blobs (released_at_ms);

CREATE TABLE released_inline (
    inline_id INTEGER PRIMARY KEY,
    released_at_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX released_inline_age ON released_inline (released_at_ms);
"""

_SCRUBS: Final = """
CREATE TABLE scrubs (
    scrub_id INTEGER PRIMARY KEY,
    began_at_ms INTEGER NOT NULL,
    finished_at_ms INTEGER,
    bucket_id INTEGER NOT NULL,
    key BLOB NOT NULL,
    objects INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    damaged INTEGER NOT NULL
) STRICT;
"""

_RESULTS: Final = """
CREATE TABLE results (
    identity TEXT PRIMARY KEY,
    bucket_id INTEGER NOT NULL,
    key BLOB NOT NULL,
    etag TEXT NOT NULL,
    modified_at_ms INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    used_at_ms INTEGER NOT NULL,
    blob_id TEXT,
    body BLOB
) STRICT;
CREATE INDEX results_use ON results (used_at_ms, size_bytes, identity);
CREATE INDEX results_blob ON results (blob_id) WHERE blob_id IS NOT NULL;
"""

_COMPLETED_CHECKSUMS: Final = """
ALTER TABLE completed_uploads ADD COLUMN checksums TEXT NOT NULL DEFAULT '{}';
"""

_RESULTS_TOTAL: Final = """
CREATE TABLE results_total (size_bytes INTEGER NOT NULL) STRICT;
INSERT INTO results_total (size_bytes) SELECT COALESCE(SUM(size_bytes), 0) FROM results;
"""

# Kept by the transactions that change objects. Not by triggers: they cost every PUT 1 % of its instructions,
# also one that changes neither number nor size.
_USAGE: Final = """
CREATE TABLE bucket_usage (
    bucket_id INTEGER PRIMARY KEY,
    objects INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL
) STRICT;
INSERT INTO bucket_usage (bucket_id, objects, size_bytes)
    SELECT b.bucket_id, COUNT(o.key), COALESCE(SUM(o.size_bytes), 0)
    FROM buckets b LEFT JOIN objects o ON o.bucket_id = b.bucket_id GROUP BY b.bucket_id;
"""

_RELEASED_UPLOADS: Final = """
CREATE TABLE released_uploads (
    upload_id TEXT PRIMARY KEY,
    released_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX released_uploads_age ON released_uploads (released_at_ms);
"""

MIGRATIONS: Final[tuple[str, ...]] = (
    _FIRST,
    _SCRUBS,
    _RESULTS,
    _COMPLETED_CHECKSUMS,
    _RESULTS_TOTAL,
    _USAGE,
    _RELEASED_UPLOADS,
)
