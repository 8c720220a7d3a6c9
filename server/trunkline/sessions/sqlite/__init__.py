"""The session log in one SQLite database, which several processes of one user may have open.

    store      the log: each method is a job for the worker
    worker     the one thread that touches the database, and how jobs share a transaction
    database   opening: private files, whose file it is, settings of the connection, migrations under a lock
    schema     tables, and the way from every older version to this one
    writing    sessions, events and turns into rows
    reading    rows into sessions, events and turns
    json_body  JSON and times as the database keeps them
    leases     who may write to a session
    owners     which processes are alive: a lock file of each
    deletion   deleting so that the text is in none of the files
    errors     what SQLite and the system say, as errors for people

The store and the worker know the event loop; everything else runs in the worker's thread.
"""
