"""Files that held what was erased, taken away now rather than after the retention.

Only files that the log itself says are no longer needed: replaced ones, and the change feed's copies of rows that
went. What belongs to no commit may belong to one under way, such as a long compaction; it is left to ingest's
clean-up, which goes by age.
"""

import pyarrow.fs as pafs
from deltalake.fs import DeltaStorageHandler

from infra.topics import Topic
from policy.errors import LakeError
from storage.tables import READ_ERRORS, Lake

_CHANGE_FEED = "_change_data"


def shred(lake: Lake, topic: Topic) -> int:
    """Remove a table's replaced files; returns how many.

    A reader that was reading them reads the newest version again (`storage/tail.py`).

    Raises:
        LakeError: the store failed; files may be left.
    """
    try:
        replaced = lake.open(topic).vacuum(
            retention_hours=0, dry_run=False, enforce_retention_duration=False, full=False
        )
        store = pafs.PyFileSystem(DeltaStorageHandler(lake.uri(topic.name), lake.storage_options))
        copies = store.get_file_info(pafs.FileSelector(_CHANGE_FEED, allow_not_found=True, recursive=True))
        for copy in copies:
            store.delete_file(copy.path)
    except READ_ERRORS as error:
        raise LakeError("files cannot be removed", table=topic.name, cause=str(error)) from error
    return len(replaced) + len(copies)
