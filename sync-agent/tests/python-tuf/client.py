"""Reads a repository with python-tuf's own client, as a judge of what our publisher signs.

client.py ROOT REPOSITORY SCRATCH NAME: prints the content of the file NAME of the catalog.
"""

import pathlib
import sys

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater


class Folder(FetcherInterface):
    """Fetches from a folder."""

    def _fetch(self, url):
        try:
            yield pathlib.Path(url.removeprefix("folder://")).read_bytes()
        except FileNotFoundError as missing:
            raise DownloadHTTPError("missing", 404) from missing


root, repository, scratch, name = sys.argv[1:]
scratch = pathlib.Path(scratch)
for part in ["metadata", "targets"]:
    (scratch / part).mkdir(parents=True, exist_ok=True)
updater = Updater(
    str(scratch / "metadata"),
    f"folder://{repository}/metadata/",
    str(scratch / "targets"),
    f"folder://{repository}/targets/",
    fetcher=Folder(),
    bootstrap=pathlib.Path(root).read_bytes(),
)
updater.refresh()
found = updater.get_targetinfo(name)
path = updater.download_target(found)
sys.stdout.buffer.write(pathlib.Path(path).read_bytes())
