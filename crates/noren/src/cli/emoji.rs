//! `noren emoji`

use super::{Failure, Place, output, start};
use crate::server::Parts;
use anyhow::{Context as _, anyhow, bail};
use clap::{Args, Subcommand};
use domain::emojis::{self, New};
use flate2::read::MultiGzDecoder;
use media::keys::{self, Kind, Origin, Style};
use media::{Key, Output, Role};
use serde_json::json;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, Read, Write as _};
use std::path::{Path, PathBuf};

/// Custom emoji of this site
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  noren emoji import ./blobs --category Blobs
  noren emoji import blobs.tar.gz --prefix blob_ --dry-run
  noren emoji list
  noren emoji delete blobcat")]
pub(super) struct Emoji {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add the pictures of a folder or an archive; each file's name gives the shortcode
    Import(Import),
    /// List all
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove one
    Delete {
        /// Without colons
        shortcode: String,
    },
}

#[derive(Debug, Args)]
struct Import {
    /// A folder, or a .tar or .tar.gz file, with PNG, GIF or WebP pictures of up to 256 KiB
    #[arg(value_name = "DIR|TAR")]
    source: PathBuf,
    /// Put before each shortcode
    #[arg(long, default_value = "", value_name = "TEXT")]
    prefix: String,
    /// Group in clients' emoji pickers
    #[arg(long, value_name = "NAME")]
    category: Option<String>,
    /// Give another picture to shortcodes that are there already
    #[arg(long)]
    overwrite: bool,
    /// Look at everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Emoji {
    pub(super) fn run(self, place: &Place) -> Result<(), Failure> {
        start::with_data(place, async |parts| match self.command {
            Command::Import(import) => Ok(run_import(&parts, &import).await?),
            Command::List { json } => Ok(list(&parts, json).await?),
            Command::Delete { shortcode } => {
                let shortcode = shortcode.trim_matches(':');
                match emojis::delete(&parts.db, shortcode).await {
                    Err(domain::Error::NotFound) => Err(anyhow!("there is no emoji :{shortcode}:").into()),
                    other => Ok(other?),
                }
            }
        })
    }
}

async fn list(parts: &Parts, as_json: bool) -> anyhow::Result<()> {
    let all = emojis::list(&parts.db.read().await?).await?;
    if as_json {
        let rows = all.iter().map(|emoji| {
            json!({
                "shortcode": emoji.shortcode, "category": emoji.category, "url": parts.site.media(&emoji.image),
                "static_url": parts.site.media(&emoji.image_static), "visible_in_picker": emoji.visible_in_picker,
            })
        });
        return output::json(&rows.collect::<Vec<_>>());
    }
    if all.is_empty() {
        output::line("no emoji");
        return Ok(());
    }
    let rows: Vec<_> =
        all.into_iter().map(|e| [format!(":{}:", e.shortcode), e.category.unwrap_or_default(), e.image]).collect();
    output::table(["SHORTCODE", "CATEGORY", "FILE"], &rows);
    Ok(())
}

/// One run of `import`.
struct Run<'a> {
    parts: &'a Parts,
    options: &'a Import,
    known: HashSet<String>,
    limits: media::Limits,
    added: usize,
    skipped: usize,
    failed: usize,
}

async fn run_import(parts: &Parts, options: &Import) -> anyhow::Result<()> {
    let known = emojis::list(&parts.db.read().await?).await?.into_iter().map(|emoji| emoji.shortcode).collect();
    let limits = parts.config.media.limits();
    let mut run = Run { parts, options, known, limits, added: 0, skipped: 0, failed: 0 };
    let source = &options.source;
    if source.is_dir() {
        run.folder(source).await?;
    } else {
        let file = File::open(source).with_context(|| format!("cannot open {}", source.display()))?;
        run.archive(BufReader::new(file)).await.with_context(|| format!("cannot read {}", source.display()))?;
    }
    let done = if options.dry_run { "would be added" } else { "added" };
    output::line(format_args!("{} {done}, {} there already, {} refused", run.added, run.skipped, run.failed));
    if run.failed > 0 {
        bail!("not everything could be used");
    }
    Ok(())
}

impl Run<'_> {
    async fn folder(&mut self, folder: &Path) -> anyhow::Result<()> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_file() {
                files.push(path);
            }
        }
        files.sort();
        let bar = output::progress(files.len());
        for path in files {
            let file = File::open(&path).with_context(|| format!("cannot open {}", path.display()))?;
            self.one(&path, file).await?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    async fn archive(&mut self, mut file: BufReader<File>) -> anyhow::Result<()> {
        use std::io::{BufRead as _, Seek as _};
        let is_gzip = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        file.rewind()?;
        let plain: Box<dyn Read> = if is_gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        for entry in tar::Archive::new(plain).entries()? {
            let entry = entry?;
            if entry.header().entry_type().is_file() {
                let path = entry.path()?.into_owned();
                self.one(&path, entry).await?;
            }
        }
        Ok(())
    }

    /// One file; what is wrong with it is told and counted. An error ends the run: the disk or the database fails.
    async fn one(&mut self, path: &Path, file: impl Read) -> anyhow::Result<()> {
        let Some(name) = path.file_stem().and_then(|name| name.to_str()).filter(|name| !name.starts_with('.')) else {
            return Ok(());
        };
        let shortcode = format!("{}{name}", self.options.prefix);
        if self.known.contains(&shortcode) && !self.options.overwrite {
            self.skipped += 1;
            return Ok(());
        }
        match self.add(&shortcode, file).await {
            Ok(()) => {
                self.added += 1;
                self.known.insert(shortcode);
            }
            Err(error) => {
                let Some(why) = fault(&error) else { return Err(error) };
                output::note(format_args!("{}: {why}", path.display()));
                self.failed += 1;
            }
        }
        Ok(())
    }

    async fn add(&self, shortcode: &str, file: impl Read) -> anyhow::Result<()> {
        let mut spooled = tempfile::NamedTempFile::new_in(self.parts.store.spool())?;
        // One byte more than may be, so that too much is seen as such.
        std::io::copy(&mut file.take(self.limits.max_bytes + 1), &mut spooled)?;
        spooled.flush()?;
        let (path, limits) = (spooled.path().to_owned(), self.limits.clone());
        let fitted = self.parts.pool.run(move || media::fit(&path, Role::Emoji, &limits)).await?;
        let still = fitted.still.context("an emoji without a still version")?;
        let id = emojis::new_id();
        let name = keys::file_name(fitted.original.format.extension());
        let image = key(id.0, Style::Original, &name)?;
        let image_static = key(id.0, Style::Static, &Path::new(&name).with_extension("png").to_string_lossy())?;
        let new = New {
            id,
            shortcode: shortcode.to_owned(),
            image: image.to_string(),
            image_static: image_static.to_string(),
            category: self.options.category.clone(),
            visible_in_picker: true,
        };
        if self.options.dry_run {
            return Ok(emojis::check(shortcode)?);
        }
        self.keep(&image, fitted.original).await?;
        self.keep(&image_static, still).await?;
        if let Err(error) = emojis::put(&self.parts.db, new).await {
            self.parts.store.delete(&image).await?;
            self.parts.store.delete(&image_static).await?;
            return Err(error.into());
        }
        Ok(())
    }

    async fn keep(&self, key: &Key, output: Output) -> anyhow::Result<()> {
        Ok(self.parts.store.put(key, output.content).await?)
    }
}

fn key(id: i64, style: Style, name: &str) -> anyhow::Result<Key> {
    keys::key((Origin::Local, Kind::Emoji), id, style, name).context("a name that is no key")
}

/// What is wrong with the file, if it is the file's fault.
fn fault(error: &anyhow::Error) -> Option<String> {
    if let Some(media::Error::Input(fault)) = error.downcast_ref() {
        return Some(fault.to_string());
    }
    match error.downcast_ref() {
        Some(domain::Error::Invalid { field, why }) => Some(format!("{field} {why}")),
        _ => None,
    }
}
