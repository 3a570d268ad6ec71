"""Makes signed catalogs with python-tuf, good and malicious, for the terminal to judge.

repository.py OUT: writes OUT/root.json and one repository per folder below OUT.
"""

import copy
import pathlib
import shutil
import sys
from datetime import datetime, timedelta, timezone

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

OUT = pathlib.Path(sys.argv[1])
# The time that the terminals of this test are told, 21 November 2026.
NOW = datetime.fromtimestamp(1_795_300_000, timezone.utc)


def in_days(days):
    return NOW + timedelta(days=days)


class City:
    """One office with its keys and what it has signed so far."""

    def __init__(self):
        # Every kind of key that the standard names.
        self.signers = {
            "root": [CryptoSigner.generate_ed25519(), CryptoSigner.generate_rsa(), CryptoSigner.generate_ecdsa()],
            "targets": [CryptoSigner.generate_ecdsa()],
            "snapshot": [CryptoSigner.generate_ed25519()],
            "timestamp": [CryptoSigner.generate_ed25519()],
        }
        self.health = CryptoSigner.generate_ed25519()
        root = Root(version=1, expires=in_days(3650), consistent_snapshot=True)
        for role, signers in self.signers.items():
            for signer in signers:
                root.add_key(signer.public_key, role)
        root.roles["root"].threshold = 2
        self.root = Metadata(root)
        self.roots = {}
        self.targets = Metadata(Targets(expires=in_days(365)))
        self.snapshot = Metadata(Snapshot(expires=in_days(30)))
        self.timestamp = Metadata(Timestamp(expires=in_days(30)))
        for part in [self.targets, self.snapshot, self.timestamp]:
            part.signed.version = 0
        self.department = None
        self.files = {}
        self.seal_root([])

    def seal_root(self, also):
        self.root.signatures.clear()
        for signer in self.signers["root"] + also:
            self.root.sign(signer, append=True)
        self.roots[self.root.signed.version] = self.root.to_bytes()

    def change_keys(self, role, signers):
        old_root = list(self.signers["root"])
        for signer in self.signers[role]:
            self.root.signed.revoke_key(signer.public_key.keyid, role)
        for signer in signers:
            self.root.signed.add_key(signer.public_key, role)
        self.signers[role] = signers
        self.root.signed.version += 1
        self.seal_root(old_root if role == "root" else [])

    def put(self, files):
        self.files = files
        self.targets.signed.targets = {
            name: TargetFile.from_data(name, data) for name, data in files.items() if not name.startswith("health/")
        }
        self.targets.signed.version += 1

    def delegate(self, files):
        """A department signs its own files."""
        self.department = Metadata(Targets(version=1, expires=in_days(365)))
        for name, data in files.items():
            self.department.signed.targets[name] = TargetFile.from_data(name, data)
        self.department.sign(self.health)
        role = DelegatedRole("health", [], 1, terminating=True, paths=["health/*"])
        self.targets.signed.delegations = Delegations({}, {"health": role})
        self.targets.signed.add_key(self.health.public_key, "health")

    def seal(self, expires=None):
        self.targets.sign(self.signers["targets"][0])
        snapshot = self.snapshot.signed
        snapshot.version += 1
        snapshot.meta["targets.json"] = MetaFile(self.targets.signed.version)
        if self.department:
            snapshot.meta["health.json"] = MetaFile(self.department.signed.version)
        self.snapshot.sign(self.signers["snapshot"][0])
        timestamp = self.timestamp.signed
        timestamp.version += 1
        timestamp.expires = expires or in_days(30)
        timestamp.snapshot_meta = MetaFile.from_data(snapshot.version, self.snapshot.to_bytes(), ["sha256"])
        self.timestamp.sign(self.signers["timestamp"][0])

    def write(self, name):
        metadata, targets = OUT / name / "metadata", OUT / name / "targets"
        metadata.mkdir(parents=True)
        for version, data in self.roots.items():
            (metadata / f"{version}.root.json").write_bytes(data)
        (metadata / "timestamp.json").write_bytes(self.timestamp.to_bytes())
        parts = {"snapshot": self.snapshot, "targets": self.targets, "health": self.department}
        for role, part in parts.items():
            if part:
                (metadata / f"{part.signed.version}.{role}.json").write_bytes(part.to_bytes())
        signed = dict(self.targets.signed.targets)
        if self.department:
            signed.update(self.department.signed.targets)
        for target, data in self.files.items():
            if target not in signed:
                continue
            for path in signed[target].get_prefixed_paths():
                (targets / path).parent.mkdir(parents=True, exist_ok=True)
                (targets / path).write_bytes(data)


def main():
    city = City()
    (OUT / "root.json").write_bytes(city.root.to_bytes())
    city.put({"items/a.txt": b"first", "words.txt": "目录".encode()})
    city.seal()
    city.write("first")

    health = {"health/b.txt": b"from the department"}
    city.put({"items/a.txt": b"second", **health})
    city.delegate(health)
    city.seal()
    city.write("second")

    # The same as the second one, but ...
    frozen = copy.deepcopy(city)
    frozen.put({"items/a.txt": b"frozen"})
    frozen.seal(expires=in_days(-3))
    frozen.write("frozen")

    wrong_key = copy.deepcopy(city)
    wrong_key.put({"items/a.txt": b"by a stranger"})
    wrong_key.signers["targets"] = [CryptoSigner.generate_ecdsa()]
    wrong_key.seal()
    wrong_key.write("wrong-key")

    stranger = City()
    for _ in range(5):
        stranger.put({"items/a.txt": b"another city"})
        stranger.seal()
    stranger.write("stranger")

    # Newer timestamp and snapshot, older targets: what the snapshot names went back.
    back = copy.deepcopy(city)
    back.targets.signed.version -= 1
    back.seal()
    back.write("targets-back")

    # One key of three agrees to a root that would take the city over.
    usurped = copy.deepcopy(city)
    usurped.root.signed.version += 1
    usurped.root.signatures.clear()
    usurped.root.sign(usurped.signers["root"][0])
    usurped.roots[2] = usurped.root.to_bytes()
    usurped.put({"items/a.txt": b"usurped"})
    usurped.seal()
    usurped.write("usurped")

    shutil.copytree(OUT / "second", OUT / "changed-file")
    for path in (OUT / "changed-file" / "targets" / "items").iterdir():
        path.write_bytes(b"secomd")

    # Keys change twice, among them the root's own.
    city.change_keys("root", [CryptoSigner.generate_ed25519() for _ in range(3)])
    city.change_keys("timestamp", [CryptoSigner.generate_rsa()])
    city.put({"items/a.txt": b"rotated", **health})
    city.seal()
    city.write("rotated")


main()
