//! A text as a picture that phones read.

use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write as _;

/// Light modules that readers want around the code.
const MARGIN: usize = 4;

/// The picture, dark on light whatever the page's colours; None when the text is too long for one.
pub(super) fn picture(text: &str, label: &str) -> Option<Markup> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let side = code.width() + 2 * MARGIN;
    let view = format!("0 0 {side} {side}");
    let path = path(&code.to_colors(), code.width());
    Some(html! {
        svg class="qr" viewBox=(view) role="img" aria-label=(label) shape-rendering="crispEdges" {
            rect class="light" width=(side) height=(side) {}
            path class="dark" d=(path) {}
        }
    })
}

/// Dark modules of each row, neighbours drawn as one bar.
fn path(modules: &[Color], width: usize) -> String {
    let mut out = String::new();
    for (y, row) in modules.chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run.first() == Some(&Color::Dark) {
                let _ = write!(out, "M{} {}h{}v1h-{}z", x + MARGIN, y + MARGIN, run.len(), run.len());
            }
            x += run.len();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_the_code() {
        let code = QrCode::with_error_correction_level("otpauth://totp/x:y?secret=ABC&issuer=x", EcLevel::M).unwrap();
        let (modules, width) = (code.to_colors(), code.width());
        let mut drawn = vec![Color::Light; modules.len()];
        for bar in path(&modules, width).split_terminator('z') {
            let numbers: Vec<usize> =
                bar.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect();
            let [x, y, length, ..] = numbers[..] else { panic!("{bar}") };
            for n in 0..length {
                drawn[(y - MARGIN) * width + x - MARGIN + n] = Color::Dark;
            }
        }
        assert!(drawn == modules);
        assert!(picture(&"x".repeat(5000), "").is_none());
    }
}
