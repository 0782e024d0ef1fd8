"""The tables of a ledger: a private temporary database, in one transaction that is never committed."""

TABLES = """
CREATE TABLE events (      -- distinct decodable events; late: published after the verification began
    user TEXT, event TEXT, image TEXT, late INT, part INT, off INT,
    judged INT, later INT, -- how many records are this event: those that were there, and late ones
    PRIMARY KEY (user, event)) WITHOUT ROWID;
CREATE TABLE statuses (    -- early: older than the window, read only to recognise duplicates of older events
    user TEXT, event TEXT, image TEXT, outcome TEXT, early INT, part INT, off INT,
    PRIMARY KEY (user, event, part, off)) WITHOUT ROWID;
CREATE TABLE given_up (    -- dead letters that name a FAILED event
    user TEXT, event TEXT, image TEXT, part INT, off INT,
    PRIMARY KEY (user, event, part, off)) WITHOUT ROWID;
CREATE TABLE undecodable ( -- records that are no events, by digest; part and off are those of the first
    digest BLOB PRIMARY KEY, judged INT, late INT, part INT, off INT,
    again INT)             -- published again by a repair, in the place of ones whose dead letter was lost
    WITHOUT ROWID;
CREATE TABLE recovered (   -- dead letters of records that could not be decoded then and can be now
    user TEXT, event TEXT, n INT, part INT, off INT,
    PRIMARY KEY (user, event)) WITHOUT ROWID;
CREATE TABLE letters (     -- dead letters of such records, by digest
    digest BLOB PRIMARY KEY, n INT, part INT, off INT) WITHOUT ROWID;
CREATE TABLE unreadable (  -- statuses and dead letters that cannot be decoded
    topic TEXT, part INT, off INT, why TEXT);
CREATE TABLE announced (   -- what must be stored, as the statuses say when folded in order
    prefix TEXT, preset TEXT, version INT, bucket TEXT, key TEXT, size INT, sha256 TEXT, event TEXT,
    user TEXT, image TEXT,
    PRIMARY KEY (prefix, preset)) WITHOUT ROWID;
CREATE TABLE stored (      -- what the buckets list
    bucket TEXT, key TEXT, prefix TEXT, size INT,
    PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE altered (     -- objects whose bytes are not those announced; sha256 is null when there were none to read
    bucket TEXT, key TEXT, sha256 TEXT,
    PRIMARY KEY (bucket, key)) WITHOUT ROWID;
CREATE TABLE unsettled (   -- prefixes of images with an event still open: their objects may change at any moment
    prefix TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE findings (
    kind TEXT, subject TEXT, n INT, user TEXT, image TEXT, event TEXT, key TEXT, detail TEXT);
"""
