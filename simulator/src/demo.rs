//! One demo from start to end: take the folder, make the world, start everything, say where the page is, wait,
//! end everything.

use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::arguments::Arguments;
use crate::desk::{Desk, DeskOptions};
use crate::feeds::{self, Feeds};
use crate::http;
use crate::inbox::{Inbox, local_client};
use crate::lock::{LockError, StateLock};
use crate::network::NetworkSwitch;
use crate::ports::{Ports, loopback};
use crate::queue::QueueView;
use crate::scenario::{self, Scenario, Scenarios};
use crate::screen::Screen;
use crate::stage::Stage;
use crate::supervisor::{BackOff, ProcessSpec, Supervisor};
use crate::typing::{self, Deployment};
use crate::world::{TERMINAL_CODE, World, WorldOptions};

/// The supervised processes, in the order in which they start.
pub const PROCESSES: [&str; 3] = ["city-gateway", "sync-agent", KIOSK];
/// The one that has the screen and the devices.
const KIOSK: &str = "kiosk-app";
/// The program that `kiosk-app` calls for every print-out.
const DOCUMENTS: &str = "render-document";
/// The program that signs the catalog.
const PUBLISHER: &str = "catalog-publisher";
/// How long everything together may take to come up.
const READY_PATIENCE: Duration = Duration::from_secs(60);
/// Ends within ten seconds from which a start has failed.
const CRASH_LOOP: usize = 5;

/// Another simulator has the folder or the port.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AlreadyRunning(String);

/// Runs a demo until a signal (or the end of standard input, when attached).
pub fn run(arguments: Arguments) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(Demo::run(arguments));
    // Reading standard input cannot be interrupted; nothing waits for it.
    runtime.shutdown_background();
    result
}

struct Demo {
    stage: Arc<Stage>,
    /// Kept until the processes have ended.
    _lock: StateLock,
    _ports: Ports,
    address: String,
    /// Waited for before the kiosk starts.
    typing: Option<Deployment>,
    /// To be played when all is up.
    scenario: Option<Scenario>,
}

impl Demo {
    async fn run(arguments: Arguments) -> anyhow::Result<()> {
        let attached = arguments.attached;
        let mut end = Box::pin(end(attached)?);
        let mut demo = Self::prepare(&arguments).await?;
        let outcome = tokio::select! {
            ready = demo.come_up() => match ready {
                Ok(()) => {
                    println!("莞家政务自助终端 · 演示  {}", demo.address);
                    if let Some(scenario) = demo.scenario.take() {
                        demo.stage.play(scenario)?;
                    }
                    end.await;
                    Ok(())
                }
                Err(error) => Err(error),
            },
            () = &mut end => Ok(()),
        };
        let supervisor = Arc::clone(&demo.stage.supervisor);
        tokio::task::spawn_blocking(move || supervisor.shut_down()).await?;
        outcome
    }

    /// Everything up to the moment at which processes may start.
    async fn prepare(arguments: &Arguments) -> anyhow::Result<Self> {
        let specs_wanted =
            PROCESSES.iter().map(|name| arguments.program(name)).collect::<anyhow::Result<Vec<_>>>()?;
        let mut options = WorldOptions {
            catalog: arguments.catalog()?,
            publisher: arguments.sign_catalog.then(|| arguments.program(PUBLISHER)).transpose()?,
            documents: arguments.program(DOCUMENTS)?,
            typing: arguments.program(typing::PROGRAM).ok(),
            min_free_mib: arguments.min_free_mib,
            quick: arguments.quick,
            devices: serde_json::Value::Null,
            settings: arguments.settings.clone(),
        };
        let world = World::open(&arguments.state)?;
        let mut lock = StateLock::take(world.folder()).map_err(|error| match error {
            LockError::Held(_) => anyhow::Error::new(AlreadyRunning(error.to_string())),
            LockError::Io(_) => anyhow::Error::new(error),
        })?;
        let page = listen(arguments.port).await?;
        let address = format!("http://127.0.0.1:{}/", page.local_addr()?.port());
        lock.announce(&address)?;
        if arguments.fresh {
            world.clear()?;
        }
        progress("准备 Preparing keys, ports and devices");
        let ports = Ports::choose(&world.ports_file())?;
        let desk_options =
            DeskOptions { paced: !arguments.quick, receipt_printer: arguments.receipt_printer };
        let desk = Desk::set_up(&world.devices()?, desk_options);
        let desk = desk.context("cannot set up the virtual devices")?;
        options.devices = desk.declared();
        let furnished = world.furnish(&ports.numbers, &options)?;
        let typing = begin_typing(&options, &world);
        let network =
            TcpListener::bind(loopback(ports.numbers.network)).await.context("cannot be the network")?;
        let specs = specs(arguments, &world, specs_wanted, &desk)?;
        let stage = Arc::new(Stage {
            terminal: TERMINAL_CODE.to_owned(),
            place: furnished.place,
            city_url: format!("http://127.0.0.1:{}/city/", ports.numbers.city),
            keeper_url: format!("http://127.0.0.1:{}/keeper/", ports.numbers.city),
            desk,
            network: NetworkSwitch::start(network, loopback(ports.numbers.terminals), &furnished.identities)?,
            screen: Screen::listen(&world.screen_socket()?).context("cannot wait for the kiosk's screen")?,
            supervisor: Arc::new(Supervisor::new(
                specs,
                world.logs(),
                Some(std::env::current_exe().context("cannot find this program itself")?),
                back_off(arguments.quick),
            )),
            queue_view: Arc::new(QueueView::new(world.terminal_state())),
            inbox: Inbox::new(ports.numbers.city)?,
            feeds: Feeds::default(),
            scenarios: Scenarios::default(),
        });
        let scenario = arguments.scenario.as_deref().map(|file| read_scenario(file, &stage)).transpose()?;
        tokio::spawn(feeds::run(Arc::clone(&stage)));
        let router = http::router(Arc::clone(&stage));
        tokio::spawn(async move { axum::serve(page, router).await });
        Ok(Self { stage, _lock: lock, _ports: ports, address, typing, scenario })
    }

    /// Starts the processes and waits until the page can be used.
    async fn come_up(&mut self) -> anyhow::Result<()> {
        let deadline = Instant::now() + READY_PATIENCE;
        let typing = self.typing.take();
        let stage = &self.stage;
        progress("市平台 Starting the city's gateway");
        stage.supervisor.start(PROCESSES[0])?;
        self.until(deadline, "the gateway's pages", async || stage.inbox.is_up().await).await?;
        if let Some(typing) = typing {
            let made = tokio::task::spawn_blocking(move || typing.finish()).await?;
            made.unwrap_or_else(|error| no_typing(&error));
        }
        progress("终端 Starting the sync agent and the kiosk");
        stage.supervisor.start(PROCESSES[1])?;
        stage.supervisor.start(PROCESSES[2])?;
        self.until(deadline, "the kiosk's screen", async || stage.screen.status().frames > 0).await
    }

    async fn until(
        &self,
        deadline: Instant,
        what: &str,
        condition: impl AsyncFn() -> bool,
    ) -> anyhow::Result<()> {
        while !condition().await {
            if let Some(sentence) = self.stage.supervisor.crash_loop(CRASH_LOOP) {
                bail!("{sentence}");
            }
            if Instant::now() >= deadline {
                bail!("waited {} s for {what}; the logs say why", READY_PATIENCE.as_secs());
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

fn begin_typing(options: &WorldOptions, world: &World) -> Option<Deployment> {
    let begun = match &options.typing {
        Some(program) => Deployment::begin(program, &world.terminal()),
        None => Err(anyhow::anyhow!("the program {} is not built", typing::PROGRAM)),
    };
    begun.map_err(|error| no_typing(&error)).ok()
}

fn no_typing(error: &anyhow::Error) {
    progress(&format!("没有中文输入 There is no Chinese input: {error:#}"));
}

/// For the person at the terminal; standard output holds the address and nothing else.
fn progress(line: &str) {
    eprintln!("  … {line}");
}

fn back_off(quick: bool) -> BackOff {
    let usual = BackOff::default();
    // Crash tests kill hundreds of times; a wait of two seconds each would test nothing but patience.
    if quick { BackOff { longest: usual.first * 2, ..usual } } else { usual }
}

fn specs(
    arguments: &Arguments,
    world: &World,
    programs: Vec<std::path::PathBuf>,
    desk: &Desk,
) -> anyhow::Result<Vec<ProcessSpec>> {
    let gateway = vec!["--config".into(), world.gateway_config().into_os_string()];
    let agent = vec!["--config".into(), world.terminal_config().into_os_string()];
    let mut kiosk = agent.clone();
    let mut link = std::ffi::OsString::from("link:");
    link.push(world.screen_socket()?);
    kiosk.extend(["--screen".into(), link]);
    let names = PROCESSES.iter().zip(programs).zip([gateway, agent, kiosk]);
    names
        .map(|((name, program), own_arguments)| {
            let own = arguments.environment_of(name)?;
            let mut environment = if *name == KIOSK { desk.environment() } else { Vec::new() };
            environment.extend(own.into_iter().map(|(key, value)| (key.into(), value.into())));
            Ok(ProcessSpec { name: (*name).to_owned(), program, arguments: own_arguments, environment })
        })
        .collect()
}

fn read_scenario(file: &Path, stage: &Stage) -> anyhow::Result<Scenario> {
    let shown = file.display();
    let size = std::fs::metadata(file).with_context(|| format!("cannot read the scenario {shown}"))?.len();
    anyhow::ensure!(
        size <= scenario::MAX_BYTES as u64,
        "the scenario {shown} has {size} bytes; a scenario has at most {}",
        scenario::MAX_BYTES
    );
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the scenario {shown}"))?;
    Scenario::parse(&text, stage).with_context(|| format!("the scenario {shown}"))
}

async fn listen(port: u16) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(loopback(port)).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            let address = format!("http://127.0.0.1:{port}/");
            let sentence = if is_simulator(&address).await {
                format!("演示已在运行：{address}\nA simulator is already running: {address}")
            } else {
                format!(
                    "端口 {port} 已被其他程序占用，请用 --port 换一个。\nPort {port} is used by another program; \
                     choose another one with --port."
                )
            };
            Err(AlreadyRunning(sentence).into())
        }
        bound => bound.with_context(|| format!("cannot listen on port {port}")),
    }
}

async fn is_simulator(address: &str) -> bool {
    let Ok(client) = local_client() else { return false };
    match client.get(format!("{address}api/state")).send().await {
        Ok(answer) => {
            answer.json::<serde_json::Value>().await.is_ok_and(|state| state["terminal"].is_string())
        }
        Err(_) => false,
    }
}

/// Resolves when the demo is to end. The signals are caught from the moment this is called.
fn end(attached: bool) -> anyhow::Result<impl Future<Output = ()>> {
    let mut signals =
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
    let (closed, input) = oneshot::channel::<()>();
    let open = if attached {
        std::thread::Builder::new().name("input".to_owned()).spawn(move || {
            let mut ignored = [0; 256];
            while let Ok(1..) = std::io::stdin().read(&mut ignored) {}
            drop(closed);
        })?;
        None
    } else {
        Some(closed)
    };
    Ok(async move {
        // Without an input to watch, its channel stays open.
        let _open = open;
        let [interrupt, terminate, hangup] = &mut signals;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            _ = input => {}
        }
        eprintln!("  … 正在停止 Stopping");
    })
}
