//! A terminal: its folder, its queue, and the agent at work in this process or as a program of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use kiosk_store::{
    AuditLog, BegunBecause, Delivery, DeliveryReader, NewRecord, Outbox, OutboxReader, RecordKind,
    SealedBlob, TpmMemory,
};
use sync_agent::{Agent, Config};
use sync_protocol::{BlobRef, ClockEvidence, Manifest, PROTOCOL_VERSION, TerminalKey, sha256_hex};

use crate::{Authority, Days, Machine, TERMINAL};

/// A terminal's folder.
pub struct Terminal {
    folder: tempfile::TempDir,
}

impl Terminal {
    pub(crate) fn new(city_ca: &str, receipt_key: &str, url: &str, enrolment_url: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let terminal = Self { folder };
        std::fs::create_dir_all(terminal.path("keys")).expect("keys");
        terminal.write_key("city-ca.pem", city_ca);
        terminal.write_key("city-receipt.pub.pem", receipt_key);
        let text = format!(
            "[terminal]\ncode = \"{TERMINAL}\"\n[paths]\nstate = \"state\"\nkeys = \"keys\"\n[city]\n\
             url = \"{url}\"\nenrolment_url = \"{enrolment_url}\"\n[sync]\nretry_base_ms = 20\n\
             retry_cap_ms = 100\ntick_ms = 50\npoll_ms = 20\nhello_every_ms = 200\n"
        );
        std::fs::write(terminal.path("terminal.toml"), text).expect("the configuration is written");
        terminal
    }

    /// A file below the terminal's folder.
    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// Writes a file into the folder of keys.
    pub fn write_key(&self, name: &str, text: &str) {
        std::fs::write(self.path("keys").join(name), text).expect("a key is written");
    }

    /// A file of the folder of keys.
    pub fn key_file(&self, name: &str) -> Option<String> {
        crate::text(&self.path("keys").join(name))
    }

    /// Gives it a key and a certificate with these dates, as if it had enrolled then.
    pub fn certify(&self, authority: &Authority, days: Days) {
        let key = TerminalKey::generate().to_pem();
        self.write_key("terminal.key.pem", &key);
        self.write_key("terminal.cert.pem", &authority.terminal(TERMINAL, &key, days));
    }

    /// Whether its certificate was made just now.
    pub fn is_fresh(&self) -> bool {
        (89..=90).contains(&self.days_left())
    }

    /// Days from now to the end of its certificate.
    fn days_left(&self) -> i64 {
        let pem = self.key_file("terminal.cert.pem").expect("a certificate");
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).expect("PEM");
        let end = pem.parse_x509().expect("a certificate").validity().not_after.timestamp();
        (end - time::OffsetDateTime::now_utc().unix_timestamp()) / (24 * 60 * 60)
    }

    /// What the agent reads.
    pub fn config(&self) -> Config {
        Config::load(&self.path("terminal.toml")).expect("a good configuration")
    }

    /// Finalises so many cases, signed with the terminal's key.
    pub fn finalise(&self, cases: u64) {
        self.finalise_with(cases, &[]);
    }

    /// The same, each with these sealed photos.
    pub fn finalise_with(&self, cases: u64, photos: &[Vec<u8>]) {
        let key = TerminalKey::from_pem(&self.key_file("terminal.key.pem").expect("a key")).expect("a key");
        let mut outbox = Outbox::open(&self.path("state"), TERMINAL).expect("the outbox");
        for _ in 0..cases {
            let slot = outbox.next_slot();
            let ciphertext = format!("sealed content {}", slot.seq).into_bytes();
            // Each life of the queue has cases of its own.
            let case_id = format!("{}-0000-4000-8000-{:012x}", &outbox.incarnation()[..8], slot.seq);
            let manifest = Manifest {
                version: PROTOCOL_VERSION,
                kind: sync_protocol::RecordKind::Case,
                terminal: TERMINAL.into(),
                incarnation: outbox.incarnation().into(),
                seq: slot.seq,
                case_id: case_id.clone(),
                about: None,
                voids: None,
                case_number: format!("{TERMINAL}-{}", slot.seq),
                verification: format!("V{}", slot.seq),
                item: "hotline-12345".into(),
                item_version: 1,
                catalog_version: "c".into(),
                prev_hash: slot.prev_hash.clone(),
                sha256: sha256_hex(&ciphertext),
                bytes: ciphertext.len() as u64,
                blobs: photos.iter().map(|photo| named(photo)).collect(),
                clock: ClockEvidence {
                    wall_ms: 0,
                    monotonic_ms: 0,
                    boot_id: "b".into(),
                    last_sync_age_s: None,
                },
            };
            let record = NewRecord {
                slot,
                case_id,
                kind: RecordKind::Case,
                manifest: manifest.sign(&key),
                sha256: manifest.sha256.clone(),
                ciphertext,
                finalised_at_ms: 1_795_300_000_000,
                blobs: photos.iter().map(|photo| sealed(photo)).collect(),
                stub: None,
            };
            outbox.commit(record).expect("a case is finalised");
        }
    }

    /// Puts its disk into this machine: the agent asks the machine's TPM.
    pub fn put_into(&self, machine: &Machine) {
        let text = crate::text(&self.path("terminal.toml")).expect("the configuration");
        let before = text.split("[tpm]").next().unwrap_or_default();
        let text = format!("{before}[tpm]\ndevice = \"{}\"\n", machine.tpm().display());
        std::fs::write(self.path("terminal.toml"), text).expect("the configuration is written");
    }

    /// A copy of its disk. Nobody may be at work on it.
    pub fn copied(&self) -> Self {
        let copy = Self { folder: tempfile::tempdir().expect("a folder") };
        copy_folder(self.folder.path(), copy.folder.path());
        copy
    }

    /// Puts its disk back from an image. Nobody may be at work on it.
    pub fn put_back(&self, image: &Self) {
        std::fs::remove_dir_all(self.folder.path()).expect("an empty disk");
        copy_folder(image.folder.path(), self.folder.path());
    }

    /// Lets the disk remember this value of the TPM's counter, from an earlier run of the machine.
    pub fn remembers_tpm(&self, counter: u64) {
        let memory = TpmMemory { counter, boot_id: "an earlier run of the machine".into() };
        let mut delivery = Delivery::open(&self.path("state")).expect("the delivery log");
        delivery.remember_tpm(Some(&memory), None).expect("a note");
    }

    /// What the kiosk does between two residents: where the agent found the disk to be a copy, the queue goes on in a
    /// new life. Says whether it did.
    pub fn care(&self) -> bool {
        let state = self.path("state");
        let mut outbox = Outbox::open(&state, TERMINAL).expect("the outbox");
        let before = outbox.incarnation().to_owned();
        let log = DeliveryReader::open(&state).ok().flatten();
        if log.is_some_and(|log| log.must_leave(&before).unwrap_or(false)) {
            outbox.begin_incarnation(BegunBecause::CopiedDisk, 1_795_300_000_000).expect("a new life");
        }
        outbox.incarnation() != before
    }

    /// What the agent told its auditors about the disk.
    pub fn doubts(&self) -> Vec<String> {
        let rows = AuditLog::read(&self.path("state"), "agent", 1, 10_000).expect("the audit log");
        let doubts = rows.into_iter().filter(|row| row.name == "disk_doubted");
        doubts.map(|row| row.fields).collect()
    }

    /// Ranges for which it holds signed receipts.
    pub fn acknowledged(&self) -> Vec<(u64, u64)> {
        let state = self.path("state");
        let Ok(Some(outbox)) = OutboxReader::open(&state) else { return Vec::new() };
        let Ok(Some(delivery)) = DeliveryReader::open(&state) else { return Vec::new() };
        delivery.acknowledged(outbox.incarnation()).expect("the delivery log")
    }

    /// Enrols when needed and then works, in this process, until the answer is dropped.
    pub fn work(&self) -> Working {
        let config = self.config();
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let task = tokio::spawn(async move {
            sync_agent::enrol::enrol_when_needed(&config).await.expect("nothing is missing");
            let agent = Agent::new(config).expect("an agent");
            agent
                .run(async {
                    let _ = stopped.await;
                })
                .await;
        });
        Working { stop: Some(stop), task }
    }

    /// Starts the program itself; `clock` is how far its wall clock is off, in faketime's words.
    pub fn program(&self, clock: Option<&str>) -> Program {
        let mut command = Command::new(program_file());
        if let Some(off) = clock {
            // Loaded directly: the wrapper would stand between us and the process.
            command.env("LD_PRELOAD", faketime()).env("FAKETIME", off);
            command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        Program::start(command.arg("--config").arg(self.path("terminal.toml")))
    }

    /// Calls the program to enrol, as somebody at the site would; `Err` with what it complained of.
    pub fn enrol_by_hand(&self, voucher: &str) -> Result<(), String> {
        let mut command = Command::new(program_file());
        command.arg("--config").arg(self.path("terminal.toml")).args(["enrol", "--voucher", voucher]);
        let output = command.env("NO_COLOR", "1").output().expect("sync-agent is there");
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() { Ok(()) } else { Err(complaint) }
    }

    /// Calls the program with the way without a network, `export --to` or `take-receipts --from`; `Err` with what it
    /// complained of.
    pub fn courier(&self, what: [&str; 2], folder: &Path) -> Result<String, String> {
        let mut command = Command::new(program_file());
        command.arg("--config").arg(self.path("terminal.toml")).args(what).arg(folder);
        let output = command.env("NO_COLOR", "1").output().expect("sync-agent is there");
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(said(&output.stdout)) } else { Err(said(&output.stderr)) }
    }

    /// Whether a file in the folder of keys is readable by its owner alone.
    pub fn is_private(&self, name: &str) -> bool {
        use std::os::unix::fs::PermissionsExt;
        std::fs::metadata(self.path("keys").join(name)).expect("a file").permissions().mode() & 0o077 == 0
    }
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder").flatten() {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().expect("a kind") {
            kind if kind.is_dir() => copy_folder(&from, &to),
            kind if kind.is_file() => {
                std::fs::copy(&from, &to).expect("a file is copied");
            }
            // The agent's socket is no part of a disk.
            _ => {}
        }
    }
}

fn named(photo: &[u8]) -> BlobRef {
    BlobRef { sha256: sha256_hex(photo), bytes: photo.len() as u64 }
}

fn sealed(photo: &[u8]) -> SealedBlob {
    SealedBlob { sha256: sha256_hex(photo), bytes: photo.to_vec() }
}

/// The program, which lies beside the folder of this test.
fn program_file() -> PathBuf {
    let own = std::env::current_exe().expect("this test has a file");
    let program = own.ancestors().nth(2).expect("a target folder").join("sync-agent");
    assert!(program.exists(), "build sync-agent first: {}", program.display());
    program
}

/// The library of the Debian package libfaketime, whatever the machine's architecture.
fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").expect("a folder");
    let libraries = folders.flatten().map(|folder| folder.path().join("faketime/libfaketime.so.1"));
    libraries.into_iter().find(|path| path.exists()).expect("the Debian package libfaketime is installed")
}

/// An agent at work in this process.
pub struct Working {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    task: tokio::task::JoinHandle<()>,
}

impl Working {
    /// Stops it cleanly.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        tokio::time::timeout(Duration::from_secs(10), &mut self.task).await.expect("in time").expect("well");
    }
}

/// The program at work, and what it logs.
pub struct Program {
    child: Child,
    log: mpsc::Receiver<String>,
    seen: Vec<String>,
}

impl Program {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .env("RUST_LOG", "info")
            .env("NO_COLOR", "1")
            .env_remove("FAILPOINTS")
            .stderr(Stdio::piped())
            .spawn()
            .expect("sync-agent is there");
        let (send, log) = mpsc::sync_channel(100_000);
        let stderr = BufReader::new(child.stderr.take().expect("piped"));
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| send.send(line)));
        Self { child, log, seen: Vec::new() }
    }

    /// Waits until the log says this.
    pub fn wait_for(&mut self, words: &str) -> String {
        loop {
            let Ok(line) = self.log.recv_timeout(Duration::from_secs(60)) else {
                panic!("never said {words:?}: {:#?}", self.seen);
            };
            self.seen.push(line.clone());
            if line.contains(words) {
                return line;
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Fails only when it has already ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
