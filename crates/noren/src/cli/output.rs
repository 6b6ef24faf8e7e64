//! What commands print: results to standard output, errors and questions to standard error. A reader that has gone
//! (`noren account list | head`) is no failure.

use serde::Serialize;
use std::fmt::Display;
use std::io::{BufRead as _, IsTerminal as _, Write as _};

/// One line of result.
pub fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// One line for people beside the result.
pub fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

pub fn error(text: &str) {
    note(format_args!("error: {text}"));
}

/// The result as JSON, for programs.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Rows below each other under a heading; the last column may be of any length.
pub fn table<const N: usize>(heading: [&str; N], rows: &[[String; N]]) {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].as_str()).chain([heading[column]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let print = |cells: [&str; N]| {
        let mut text = String::new();
        for (cell, width) in cells.iter().zip(widths) {
            text.push_str(cell);
            text.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count()) + 2));
        }
        line(text.trim_end());
    };
    print(heading);
    for row in rows {
        print(std::array::from_fn(|column| row[column].as_str()));
    }
}

/// Asks on the terminal; no without one.
pub fn confirmed(question: &str) -> bool {
    if !std::io::stdin().is_terminal() {
        return false;
    }
    let _ = write!(std::io::stderr().lock(), "{question} [y/N] ");
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    matches!(answer.trim(), "y" | "Y" | "yes")
}

/// A bar for work that takes a while; nothing where there is no terminal.
pub fn progress(length: usize) -> indicatif::ProgressBar {
    indicatif::ProgressBar::new(u64::try_from(length).unwrap_or(u64::MAX))
}

/// The same for work of which nobody knows how much it is.
pub fn counter() -> indicatif::ProgressBar {
    let style = indicatif::ProgressStyle::with_template("{spinner} {human_pos} looked at  {msg}");
    let bar = indicatif::ProgressBar::new_spinner();
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
