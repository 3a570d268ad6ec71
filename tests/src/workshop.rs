//! Where things are while tests run: programs, assets, folders to throw away.

use anyhow::{Context, Result, ensure};
use simulator::client::{Options, Running};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The project's folder.
pub fn project() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// The folder of the built programs: above the test binary's own.
pub fn programs() -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    let found = own.ancestors().find(|folder| folder.join("simulator").is_file());
    found
        .map(Path::to_owned)
        .context("the programs are not built: run `cargo build --workspace --bins` first")
}

/// A whole kiosk in a folder of its own, which goes with it.
pub struct Kiosk {
    /// The running processes; every control of the simulator's page.
    pub running: Running,
    folder: TempDir,
}

impl std::ops::Deref for Kiosk {
    type Target = Running;

    fn deref(&self) -> &Running {
        &self.running
    }
}

impl Kiosk {
    /// Starts one: quick devices, and no wait between two touches.
    pub async fn start() -> Result<Kiosk> {
        Kiosk::start_with(Options::default().set("waits.same_touch_ms=0")).await
    }

    /// Starts one with these options.
    pub async fn start_with(options: Options) -> Result<Kiosk> {
        let kiosk = Kiosk::start_in(TempDir::new()?, options).await?;
        kiosk.wait_ready().await?;
        Ok(kiosk)
    }

    /// Starts one in a folder that may hold an earlier one's state, and does not wait for its devices.
    pub async fn start_in(folder: TempDir, mut options: Options) -> Result<Kiosk> {
        // The programs may be built anywhere; the items are always those of the project.
        options.catalog.get_or_insert_with(|| project().join("assets/catalog"));
        let running = Running::start(programs()?, folder.path(), options).await?;
        running.wait_screen("home").await?;
        Ok(Kiosk { running, folder })
    }

    /// Ends it politely; what it leaves is in the folder.
    pub async fn stop(self) -> Result<TempDir> {
        self.running.stop().await?;
        Ok(self.folder)
    }

    /// Devices report one after the other; until then the kiosk rightly says that they are away.
    pub async fn wait_ready(&self) -> Result<()> {
        for words in ["可以读卡", "可以打印", "网络正常"] {
            self.wait_text(words).await?;
        }
        Ok(())
    }

    /// The terminal's state folder (outbox, delivery, audit).
    pub fn terminal_state(&self) -> PathBuf {
        self.folder.path().join("terminal/state")
    }

    /// The folder of everything.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Says what the processes logged last; for the message of a failing test.
    pub fn logs(&self) -> String {
        ["kiosk-app", "sync-agent", "city-gateway"]
            .map(|process| format!("--- {process}\n{}", self.running.log_tail(process, 15)))
            .join("\n")
    }
}

/// Runs a program of the machine on some input and gives what it prints.
pub fn run(program: &str, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>> {
    use std::io::Write;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {program}: `cargo xtask test` installs it"))?;
    let mut to_child = child.stdin.take().context("its input is a pipe")?;
    let input = input.to_owned();
    let feeder = std::thread::spawn(move || to_child.write_all(&input));
    let output = child.wait_with_output()?;
    feeder.join().map_err(|_| anyhow::anyhow!("the input could not be written"))?.ok();
    ensure!(
        output.status.success(),
        "{program} said {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

/// The text of the QR code in a picture, by an independent reader.
pub fn read_qr(png: &[u8]) -> Result<String> {
    let folder = TempDir::new()?;
    let file = folder.path().join("receipt.png");
    std::fs::write(&file, png)?;
    let path = file.to_str().context("the folder's name is text")?;
    let text = run("zbarimg", &["--quiet", "--raw", path], &[])?;
    Ok(String::from_utf8(text)?.trim().to_owned())
}
