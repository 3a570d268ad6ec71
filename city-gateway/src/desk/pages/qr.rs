//! A QR code as SVG for a page, and as characters for a terminal.

use std::fmt::Write;

use qrcode::render::unicode::Dense1x2;
use qrcode::{Color, QrCode};

/// Light modules around the code, as the standard asks.
const QUIET: usize = 4;

/// As SVG; empty when the text is too long for a code.
pub(crate) fn svg(text: &str) -> String {
    let Ok(code) = QrCode::new(text) else { return String::new() };
    let (width, colours) = (code.width(), code.to_colors());
    let side = width + 2 * QUIET;
    let mut path = String::new();
    for (at, _) in colours.iter().enumerate().filter(|(_, colour)| **colour == Color::Dark) {
        let (x, y) = (at % width + QUIET, at / width + QUIET);
        write!(path, "M{x} {y}h1v1h-1z").expect("writing to a String does not fail");
    }
    format!(
        r##"<svg class="qr" viewBox="0 0 {side} {side}" role="img" aria-label="动态口令二维码" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{side}v{side}h-{side}z"/><path d="{path}"/></svg>"##
    )
}

/// As characters, dark on light whatever the terminal's colours are.
pub(crate) fn terminal(text: &str) -> String {
    let Ok(code) = QrCode::new(text) else { return String::new() };
    // A terminal is light on dark, so the dark modules are the ones left out.
    code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_quiet_zone() {
        let svg = svg("otpauth://totp/x?secret=ABC");
        assert!(svg.starts_with("<svg") && svg.contains("M4 4h1v1h-1z") && !svg.contains("M3 "));
        assert!(terminal("x").lines().count() > 10);
    }
}
