"""tuspy against the gateway: one piece, or whatever is left."""

import hashlib
import os

from tusclient import client
from tusclient.uploader import Uploader


class Sha256Uploader(Uploader):
    CHECKSUM_ALGORITHM_PAIR = ("sha256", hashlib.sha256)


url, sha256 = os.environ["TUS_URL"], os.environ["TUS_SHA256"]
terminal = client.TusClient(url, client_cert=os.environ["TUS_CERTIFICATE"])
options = {
    "client": terminal,
    "file_path": os.environ["TUS_FILE"],
    "chunk_size": 256 * 1024,
    "metadata": {"sha256": sha256},
    "upload_checksum": True,
}
if os.environ["TUS_STEP"] == "begin":
    uploader = Sha256Uploader(**options)
    uploader.upload_chunk()
    assert uploader.offset == 256 * 1024, uploader.offset
else:
    uploader = Sha256Uploader(url=f"{url}/{sha256}", **options)
    assert uploader.offset == 256 * 1024, uploader.offset
    uploader.upload()
