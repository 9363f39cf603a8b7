"""Care of an index: verify, repair, snapshot, restore, delete, compact, migrate.

Each module is one use case over the folder of an index; docs/care.md tells operators when to use
which. What writes holds the write lock for as long as it works.
"""
