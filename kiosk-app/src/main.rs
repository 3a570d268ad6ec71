//! Starts the kiosk: `kiosk-app --config terminal.toml [--screen link:SOCKET | --screen window[:HEIGHT]]`.

use anyhow::{Context, Result};
use clap::Parser;
use device_drivers::watchdog::{SystemdNotifier, Watchdog};
use kiosk_app::bind::Screen;
use kiosk_app::catalog::Catalog;
use kiosk_app::config::Config;
use kiosk_app::devices::health::HealthBook;
use kiosk_app::devices::preview::Preview;
use kiosk_app::devices::receipt_printer::Letterhead;
use kiosk_app::devices::station::Hand;
use kiosk_app::devices::{
    cabinet, code_scanner, document_camera, document_printer, hot_plug, id_card_reader, receipt_printer,
    social_security_card_reader, speaker, ups,
};
use kiosk_app::effects::city::{CityHand, CitySettings};
use kiosk_app::effects::store::{StoreHand, StoreSettings};
use kiosk_app::effects::typing::TypingHand;
use kiosk_app::effects::{Devices, Hands};
use kiosk_app::event_loop::EventLoop;
use kiosk_app::guide_sheet::{GuideSheets, guides};
use kiosk_app::inbox::{Inbox, Message, inbox};
use kiosk_app::screen::link::LinkPresenter;
use kiosk_app::screen::platform::{KioskPlatform, PageName};
use kiosk_app::screen::wake::wake_channel;
use kiosk_app::voice::screens::Screens;
use kiosk_documents::GuideRenderer;
use kiosk_ui::KioskWindow;
use slint::{ComponentHandle, LogicalSize, PhysicalSize, Timer, TimerMode};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use sync_protocol::{AgeSealer, TerminalKey};

/// What a resident said goes through many hands: toolkit, fonts, formatting. None of them erases what it gives back.
#[global_allocator]
static MEMORY: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// How often an idle kiosk looks whether another catalog has taken the place of the one it shows.
const LOOK_FOR_CATALOG: Duration = Duration::from_secs(10);

/// "Alive" is said so often within the time after which systemd acts: one that is late does no harm.
const PINGS_IN_TIMEOUT: u32 = 3;

/// The kiosk process.
#[derive(Parser)]
struct Arguments {
    /// The terminal's configuration.
    #[arg(long)]
    config: PathBuf,
    /// Where to show: `link:SOCKET` (the simulator's page), `window` (a desktop) or `window:HEIGHT`.
    #[arg(long, default_value = "window", value_parser = Place::parse)]
    screen: Place,
}

/// Where the screen is shown.
#[derive(Clone)]
enum Place {
    /// In the simulator's page, through this socket.
    Link(PathBuf),
    /// In a window of this height; the panel's own would not fit on a desktop.
    Window { height_px: u32 },
}

/// Fits on a desktop of 1080 lines, with its bars.
const WINDOW_HEIGHT_PX: u32 = 960;

impl Place {
    fn parse(text: &str) -> Result<Place, String> {
        let wrong = || format!("it is link:SOCKET, window or window:HEIGHT, not {text:?}");
        match text.split_once(':') {
            None if text == "window" => Ok(Place::Window { height_px: WINDOW_HEIGHT_PX }),
            Some(("window", height)) => match height.parse() {
                Ok(height_px @ 100..=10_000) => Ok(Place::Window { height_px }),
                _ => Err(wrong()),
            },
            Some(("link", socket)) => Ok(Place::Link(socket.into())),
            _ => Err(wrong()),
        }
    }
}

fn main() -> Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()),
        )
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    #[cfg(feature = "failpoints")]
    let _failpoints = fail::FailScenario::setup();

    let arguments = Arguments::parse();
    let mut config = Config::load(&arguments.config)?;
    let page = PageName::default();
    let window = match arguments.screen {
        Place::Link(socket) => {
            link(socket, &config, page.clone())?;
            KioskWindow::new()?
        }
        Place::Window { height_px } => {
            config.panel = config.panel.with_height(height_px);
            desktop_window(&config)?
        }
    };
    kiosk_app::fonts::set_fallbacks();
    let catalog = Rc::new(Catalog::load(&config.paths.catalog));
    let (inbox, messages) = inbox();
    let hands = hands(&config, &catalog, &inbox)?;
    let screen = Screen::new(window.clone_strong(), catalog.clone(), &config, page, &inbox);
    let event_loop = EventLoop::new(catalog, config.waits.limits(), hands, screen, Screens::load()?);
    slint::spawn_local(event_loop.run(messages)).context("the event loop does not take the session")?;

    let _clock = run_clock(&window);
    inbox.put(Message::LookForCatalog);
    let look = Timer::default();
    look.start(TimerMode::Repeated, LOOK_FOR_CATALOG, move || inbox.put(Message::LookForCatalog));
    let _alive = keep_alive();
    tracing::info!(terminal = %config.terminal.code, "the kiosk is ready");
    window.run()?;
    Ok(())
}

/// Tells systemd that the kiosk is ready, and then from the loop that draws that it is alive: one that hangs is started
/// again. It runs as long as the returned timer lives; without systemd there is none.
fn keep_alive() -> Option<Timer> {
    let mut notifier = match SystemdNotifier::from_environment() {
        Ok(notifier) => notifier?,
        Err(error) => {
            tracing::warn!(%error, "systemd cannot be told that the kiosk is alive");
            return None;
        }
    };
    if let Err(error) = notifier.ready() {
        tracing::warn!(%error, "systemd was not told that the kiosk is ready");
    }
    let timeout = notifier.timeout()?;
    let timer = Timer::default();
    timer.start(TimerMode::Repeated, timeout / PINGS_IN_TIMEOUT, move || {
        if let Err(error) = notifier.ping() {
            tracing::warn!(%error, "systemd was not told that the kiosk is alive");
        }
    });
    Some(timer)
}

fn desktop_window(config: &Config) -> Result<KioskWindow> {
    slint::BackendSelector::new()
        .backend_name("winit".into())
        .renderer_name("software".into())
        .select()
        .context("no window can be opened here: is there a display?")?;
    let window = KioskWindow::new().context("no window can be opened here: is there a display?")?;
    let (width, height) = (config.panel.width_px as f32, config.panel.height_px as f32);
    window.window().set_size(LogicalSize::new(width, height));
    Ok(window)
}

fn link(socket: PathBuf, config: &Config, page: PageName) -> Result<()> {
    let panel = config.panel;
    let hello = serde_json::json!({
        "width": panel.width_px,
        "height": panel.height_px,
        "mm_per_px": 1.0 / panel.pixels_per_mm(),
    });
    let (waker, wakes) = wake_channel();
    let presenter = LinkPresenter::connect(socket, hello.to_string(), waker.clone())?;
    let size = PhysicalSize::new(panel.width_px, panel.height_px);
    let platform = KioskPlatform::new(size, Box::new(presenter), page, (waker, wakes));
    slint::platform::set_platform(Box::new(platform)).map_err(|error| anyhow::anyhow!("{error}"))
}

/// Starts the threads of the store, the devices and the city.
fn hands(config: &Config, catalog: &Catalog, inbox: &Inbox) -> Result<Hands> {
    let keys = &config.paths.keys;
    let seal = read(&keys.join("city-seal.pub"))?;
    let city = CitySettings {
        state: config.paths.state.clone(),
        terminal: config.terminal.code.clone(),
        place: config.terminal.place.clone(),
        sealer: AgeSealer::from_recipients(&seal)?,
    };
    let settings = StoreSettings {
        state: config.paths.state.clone(),
        terminal: config.terminal.code.clone(),
        min_free_bytes: config.store.min_free_mib * 1024 * 1024,
        terminal_key: TerminalKey::from_pem(&read(&keys.join("terminal.key.pem"))?)?,
        sealer: AgeSealer::from_recipients(&seal)?,
        catalog_version: catalog.version().to_owned(),
    };
    let store = StoreHand::spawn(settings, inbox.clone())?;
    if catalog.hidden() > 0 {
        store.items_hidden(catalog.hidden(), catalog.items().len());
    }
    let devices = devices(config, catalog, &store, inbox)?;
    let city = CityHand::spawn(city, inbox.clone())?;
    let typing = TypingHand::spawn(config.typing.as_ref(), inbox.clone())?;
    Ok(Hands::new(inbox.clone(), store, devices, city, typing))
}

/// Starts a thread for each declared device, and one that wakes them when something is plugged in.
fn devices(config: &Config, catalog: &Catalog, store: &StoreHand, inbox: &Inbox) -> Result<Devices> {
    let health = HealthBook::open(&config.paths.state)?;
    let declared = config.devices.clone();
    let names = declared.names();
    let reader = declared
        .id_card_reader
        .map(|device| id_card_reader::spawn(device, inbox.clone(), health.clone()))
        .transpose()?;
    let social_card_reader = declared
        .social_security_card_reader
        .map(|device| social_security_card_reader::spawn(&device, inbox.clone(), health.clone()))
        .transpose()?;
    let printer = declared
        .receipt_printer
        .map(|device| {
            let letterhead = Letterhead::new(config, catalog.printed_words());
            let (documents, health) = (config.paths.documents.clone(), health.clone());
            receipt_printer::spawn(device, letterhead, documents, store.clone(), inbox.clone(), health)
        })
        .transpose()?;
    let document_printer = declared
        .document_printer
        .map(|device| {
            let sheets = GuideSheets::new(config, guides(catalog));
            let renderer = GuideRenderer::new(config.paths.documents.clone());
            let health = health.clone();
            document_printer::spawn(&device, sheets, renderer, store.clone(), inbox.clone(), health)
        })
        .transpose()?;
    let preview = Preview::default();
    let camera = declared
        .document_camera
        .map(|device| document_camera::spawn(device, preview.clone(), inbox.clone(), health.clone()))
        .transpose()?;
    let cabinet =
        declared.cabinet.map(|device| cabinet::spawn(&device, inbox.clone(), health.clone())).transpose()?;
    let speaker = declared.speaker.map(|device| speaker::spawn(device, health.clone())).transpose()?;
    // Nobody asks anything of a UPS: its thread lives as long as its hand.
    let ups = declared.ups.map(|device| ups::spawn(&device, inbox.clone(), health.clone())).transpose()?;
    let code_scanner =
        declared.code_scanner.map(|device| code_scanner::spawn(device, inbox.clone(), health)).transpose()?;
    let woken = (
        reader.clone(),
        printer.clone(),
        cabinet.clone(),
        speaker.clone(),
        code_scanner.clone(),
        camera.clone(),
        social_card_reader.clone(),
    );
    let look = move || {
        woken.0.iter().for_each(Hand::look);
        woken.1.iter().for_each(Hand::look);
        woken.2.iter().for_each(Hand::look);
        woken.3.iter().for_each(Hand::look);
        woken.4.iter().for_each(Hand::look);
        woken.5.iter().for_each(Hand::look);
        woken.6.iter().for_each(Hand::look);
    };
    if let Err(error) = hot_plug::watch(names, look) {
        tracing::warn!(%error, "plugs are not watched: devices are found by trying");
    }
    Ok(Devices {
        id_card_reader: reader,
        social_card_reader,
        receipt_printer: printer,
        document_printer,
        document_camera: camera,
        preview,
        cabinet,
        speaker,
        ups,
        code_scanner,
    })
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))
}

/// Shows the time of day; it runs as long as the returned timer lives.
fn run_clock(window: &KioskWindow) -> Timer {
    let shown_in = window.as_weak();
    let show = move || {
        if let Some(window) = shown_in.upgrade() {
            let now =
                SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
            Screen::show_clock(&window, now);
        }
    };
    show();
    let timer = Timer::default();
    timer.start(TimerMode::Repeated, Duration::from_secs(1), show);
    timer
}
