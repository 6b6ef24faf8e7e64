//! What has been copied so far, and how it ended.

use super::Outcome;
use crate::cli::output;
use crate::cli::storage::steps::advice;
use crate::cli::storage::{human, objects};
use anyhow::bail;
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

/// More failures are no accident: the rest is not tried.
const FAILURES: u64 = 20;
/// More names are not told.
const NAMES: u64 = 20;

#[derive(Default, PartialEq, Eq)]
struct Sums {
    copied: (u64, u64),
    same: u64,
    differing: u64,
    failed: u64,
    vanished: u64,
    /// What to do about a failure that stays.
    advice: Option<&'static str>,
}

pub(super) struct Tally {
    sums: Mutex<Sums>,
    pub bar: ProgressBar,
}

impl Default for Tally {
    fn default() -> Tally {
        let bar = ProgressBar::new(0);
        let template = "{spinner} {bar:24} {decimal_bytes} of {decimal_total_bytes}, {msg} {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Tally { sums: Mutex::default(), bar }
    }
}

impl Tally {
    /// Counts what came of one. An error of one is told, and the others go on, until there are too many.
    pub(super) fn count(&self, name: &str, outcome: anyhow::Result<Outcome>) -> anyhow::Result<()> {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(Outcome::Copied(len)) => {
                sums.copied = (sums.copied.0 + 1, sums.copied.1 + len);
                self.bar.inc(len);
            }
            Ok(Outcome::Same(len)) => {
                sums.same += 1;
                self.bar.inc(len);
            }
            Ok(Outcome::Differs(len)) => {
                sums.differing += 1;
                self.bar.inc(len);
                if sums.differing <= NAMES {
                    self.note(&format!("{name}: is there with other content"));
                }
            }
            Ok(Outcome::Vanished) => sums.vanished += 1,
            Err(error) => {
                sums.failed += 1;
                let stays = error.downcast_ref::<media::s3::Error>().filter(|error| !error.is_passing());
                sums.advice = sums.advice.or_else(|| stays.and_then(advice));
                self.note(&format!("{name}: {error:#}"));
                if sums.failed >= FAILURES {
                    bail!("stopped after {FAILURES} failures");
                }
            }
        }
        self.bar.set_message(objects(sums.copied.0 + sums.same));
        Ok(())
    }

    /// Nothing was even tried.
    pub(super) fn is_empty(&self) -> bool {
        *self.sums.lock().unwrap_or_else(PoisonError::into_inner) == Sums::default()
    }

    /// A line above the bar.
    fn note(&self, text: &str) {
        self.bar.suspend(|| output::note(text));
    }

    /// What was done; an error where something is left.
    pub(super) fn tell(&self, dry_run: bool) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        let sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let word = if dry_run { "would be copied" } else { "copied" };
        let mut text = format!("{}, {} {word}", objects(sums.copied.0), human(sums.copied.1));
        for (count, what) in [(sums.same, "there already"), (sums.vanished, "gone meanwhile")] {
            if count > 0 {
                text.push_str(&format!("; {count} {what}"));
            }
        }
        output::line(text);
        match (sums.failed, sums.differing) {
            (0, 0) => Ok(()),
            (0, left) => bail!(
                "{} there with other content and left as they are: look at them, or say --overwrite \
                 (or --size-only, if the bucket's ETags are no checksums)",
                objects(left)
            ),
            (failed, _) => match sums.advice {
                Some(advice) => bail!("{} could not be copied\n       what to do: {advice}", objects(failed)),
                None => bail!("{} could not be copied: try again", objects(failed)),
            },
        }
    }
}
