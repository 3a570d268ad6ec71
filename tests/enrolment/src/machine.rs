//! A machine's TPM 2.0: swtpm (Debian package `swtpm`), the same code as in virtual machines everywhere, behind a Unix
//! socket.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sync_agent::tpm::{DEFAULT_INDEX, Device, NvCounter, Port};

/// A TPM that runs. Its memory lies in a folder and outlives it.
pub struct Machine {
    folder: tempfile::TempDir,
    running: Option<Child>,
}

impl Machine {
    /// A machine whose TPM is new.
    pub fn new() -> Self {
        let mut machine = Self { folder: tempfile::tempdir().expect("a folder"), running: None };
        machine.switch_on();
        machine
    }

    /// The socket of its TPM.
    pub fn tpm(&self) -> PathBuf {
        self.folder.path().join("tpm.sock")
    }

    /// Cuts the power of the TPM.
    pub fn switch_off(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().expect("swtpm runs");
            running.wait().expect("swtpm ends");
        }
        let _ = std::fs::remove_file(self.tpm());
    }

    /// Gives it power, and starts it as a machine's firmware does.
    pub fn switch_on(&mut self) {
        let running = Command::new("swtpm")
            .args(["socket", "--tpm2", "--flags", "not-need-init,startup-clear", "--tpmstate"])
            .arg(format!("dir={}", self.folder.path().display()))
            .arg("--server")
            .arg(format!("type=unixio,path={}", self.tpm().display()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the Debian package swtpm is installed");
        self.running = Some(running);
        let deadline = Instant::now() + Duration::from_secs(20);
        while Device::open(&self.tpm()).is_err() {
            assert!(Instant::now() < deadline, "swtpm does not open its socket");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// A connection to the TPM, as the agent makes one. One at a time is served.
    pub fn device(&self) -> Device {
        Device::open(&self.tpm()).expect("the TPM is there")
    }

    /// Sends a command and returns the response code, 0 for success. A command that was not begun is sent again, as
    /// the kernel does for its device.
    pub fn send(&self, command: &[u8]) -> u32 {
        const TPM_RC_RETRY: u32 = 0x922;
        let mut device = self.device();
        loop {
            let answer = device.transmit(command).expect("an answer");
            match u32::from_be_bytes(answer[6..10].try_into().expect("a header")) {
                TPM_RC_RETRY => {}
                code => return code,
            }
        }
    }

    /// The counter's value, when there is one.
    pub fn counter(&self) -> Option<u64> {
        let mut device = self.device();
        NvCounter::at(DEFAULT_INDEX, &mut device).look().expect("a look").value()
    }

    /// Lets the counter of a new machine come so far, as if the machine had been in use.
    pub fn has_counted_to(&self, value: u64) {
        let mut device = self.device();
        let mut counter = NvCounter::at(DEFAULT_INDEX, &mut device);
        if counter.look().expect("a look").value().is_none() {
            counter.make().expect("the index is made");
        }
        while counter.advance().expect("a step") < value {}
    }
}

impl Default for Machine {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.switch_off();
    }
}
