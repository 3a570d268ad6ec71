//! Draws every screen in every theme and language to PNG files, with made-up people and items:
//! `cargo run -p kiosk-ui --example gallery -- FOLDER [part of a name]`.
//!
//! Deliberately absent: comparisons; the snapshot tests make those.

mod scenes;

use anyhow::{Context, Result, anyhow};
use kiosk_ui::{KioskWindow, LanguageKind, Panel, Shell, ThemeKind};
use scenes::{Scene, Words};
use slint::platform::software_renderer::{MinimalSoftwareWindow, PremultipliedRgbaColor, RepaintBufferType};
use slint::platform::{Platform, WindowAdapter};
use slint::{ComponentHandle, PhysicalSize, PlatformError};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Instant;

const LANGUAGES: [(LanguageKind, &str); 3] =
    [(LanguageKind::ZhHans, "zh-Hans"), (LanguageKind::ZhHant, "zh-Hant"), (LanguageKind::En, "en")];
const THEMES: [(ThemeKind, &str); 2] = [(ThemeKind::Standard, "standard"), (ThemeKind::Senior, "senior")];
const PANELS: [(u32, u32, &str); 2] = [(1080, 1920, "portrait"), (1920, 1080, "landscape")];
/// The reference panel of 21.5 inches.
const PIXELS_PER_MM: f32 = 4.033;

struct OneWindow(Rc<MinimalSoftwareWindow>);

impl Platform for OneWindow {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        Ok(self.0.clone())
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().context("usage: gallery FOLDER [part of a name]")?);
    let part = arguments.next().unwrap_or_default();
    std::fs::create_dir_all(&folder)?;

    let adapter = MinimalSoftwareWindow::new(RepaintBufferType::NewBuffer);
    slint::platform::set_platform(Box::new(OneWindow(adapter.clone()))).map_err(|e| anyhow!("{e}"))?;
    let window = KioskWindow::new()?;
    use_han_fallbacks();
    window.show()?;

    for (width, height, shape) in PANELS {
        adapter.set_size(PhysicalSize::new(width, height));
        for scene in scenes::all() {
            for (theme, theme_name) in THEMES {
                for (language, code) in LANGUAGES {
                    let name = format!("{shape}-{theme_name}-{code}-{}", scene.name);
                    if name.contains(&part) {
                        stage(&window, &scene, theme, language);
                        draw(&adapter, width, height, &folder.join(format!("{name}.png")))?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn stage(window: &KioskWindow, scene: &Scene, theme: ThemeKind, language: LanguageKind) {
    // The words in the markup are simplified Chinese, which Slint knows by the empty name.
    let bundled = match language {
        LanguageKind::ZhHans => "",
        LanguageKind::ZhHant => "zh-Hant",
        LanguageKind::En => "en",
    };
    slint::select_bundled_translation(bundled).expect("the language is bundled");
    window.global::<Panel>().set_mm(PIXELS_PER_MM);
    let shell = window.global::<Shell>();
    shell.set_theme(theme);
    shell.set_language(language);
    (scene.set)(window, &Words { language });
}

fn draw(adapter: &MinimalSoftwareWindow, width: u32, height: u32, file: &Path) -> Result<()> {
    let mut pixels = vec![PremultipliedRgbaColor::default(); (width * height) as usize];
    slint::platform::update_timers_and_animations();
    adapter.request_redraw();
    let started = Instant::now();
    let drawn = adapter.draw_if_needed(|renderer| {
        renderer.render(&mut pixels, width as usize);
    });
    anyhow::ensure!(drawn, "nothing was drawn for {}", file.display());
    println!("{} drawn in {} ms", file.display(), started.elapsed().as_millis());
    let bytes: Vec<u8> = pixels.iter().flat_map(|pixel| [pixel.red, pixel.green, pixel.blue]).collect();
    let mut encoder = png::Encoder::new(std::fs::File::create(file)?, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&bytes)?;
    Ok(())
}

/// Rare names are drawn with the fonts behind Noto Sans CJK, as the kiosk does.
fn use_han_fallbacks() {
    use slint::fontique_011::{fontique, shared_collection};
    let mut collection = shared_collection();
    let families: Vec<_> = ["Noto Sans CJK SC", "BabelStone Han", "HanaMinA", "HanaMinB"]
        .into_iter()
        .filter_map(|name| collection.family_id(name))
        .collect();
    let key = fontique::FallbackKey::new(fontique::Script::from_bytes(*b"Hani"), None);
    collection.set_fallbacks(key, families.into_iter());
}
