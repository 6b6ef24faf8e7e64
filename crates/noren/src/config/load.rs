//! From file, environment and flags to one [`Config`]; what is wrong is told with its place and what was expected.

use super::Config;
use edge::config::BadConfig;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// One value from outside the file.
#[derive(Clone, Debug)]
pub struct Override {
    /// `server.listen`
    pub key: String,
    /// As it was given; read as TOML where that fits, else taken as text.
    pub text: String,
    /// Where it was given, such as `--listen` or `NOREN_SERVER__LISTEN`.
    pub origin: String,
}

impl Override {
    /// A flag of the command line.
    pub fn flag(key: &str, flag: &str, text: impl Into<String>) -> Self {
        Self { key: key.into(), text: text.into(), origin: flag.into() }
    }
}

/// Everything that can say something; later ones win: file, environment, flags.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// `--config`: must exist.
    pub file: Option<PathBuf>,
    /// `--data`
    pub data: Option<PathBuf>,
    /// Only names of the form `NOREN_SECTION__KEY` are looked at.
    pub environment: Vec<(String, String)>,
    pub flags: Vec<Override>,
}

#[derive(Clone, Debug)]
pub struct Loaded {
    pub config: Config,
    /// The file that was read, if there was one.
    pub file: Option<PathBuf>,
}

/// Reads the configuration. Without `--config` the file is noren.toml in the data folder, else in the current one;
/// that neither exists is fine.
pub fn load(sources: &Sources) -> Result<Loaded, BadConfig> {
    let mut overrides: Vec<Override> = sources.environment.iter().filter_map(from_environment).collect();
    if let Some(data) = &sources.data {
        let text = data.to_str().ok_or_else(|| BadConfig("--data: expected a path in UTF-8".into()))?;
        overrides.push(Override::flag("server.data", "--data", text));
    }
    overrides.extend(sources.flags.iter().cloned());

    let file = find_file(sources, &overrides)?;
    let mut table = match &file {
        Some(path) => read_file(path)?,
        None => Table::new(),
    };
    for one in &overrides {
        // As TOML first (`8`, `true`, `["::1"]`), as text when it does not fit there.
        let before = table.clone();
        put(&mut table, one, typed(&one.text))?;
        if let Err(typed_error) = parse(table.clone()) {
            table = before;
            put(&mut table, one, Value::String(one.text.clone()))?;
            let as_text = parse(table.clone());
            let is_text = matches!(typed(&one.text), Value::String(_));
            as_text.map_err(|text_error| {
                let (_, why) = if is_text { text_error } else { typed_error };
                BadConfig(format!("{}: {}: {why}", one.origin, one.key))
            })?;
        }
    }
    let place = file.as_ref().map_or("configuration".into(), |path| path.display().to_string());
    let config = parse(table).map_err(|(key, why)| BadConfig(format!("{place}: {key}: {why}")))?;
    check(&config).map_err(|(key, why)| BadConfig(format!("{place}: {key}: {why}")))?;
    config.check().map_err(|why| BadConfig(format!("{place}: {why}")))?;
    Ok(Loaded { config, file })
}

/// What no single setting shows: (key, what is wrong with it)
fn check(config: &Config) -> Result<(), (String, String)> {
    match config.media.bucket() {
        Ok(_) => Ok(()),
        Err(media::s3::Error::Config { field, why }) => Err((format!("media.storage.{field}"), why)),
        Err(error) => Err(("media.storage".into(), error.to_string())),
    }
}

/// `NOREN_SERVER__TRUSTED_PROXIES` → `server.trusted_proxies`, `NOREN_MEDIA__STORAGE__BUCKET` → `media.storage.bucket`.
/// Names without `__` are somebody else's.
fn from_environment((name, text): &(String, String)) -> Option<Override> {
    let rest = name.strip_prefix("NOREN_").filter(|rest| rest.contains("__"))?;
    let key = rest.to_ascii_lowercase().replace("__", ".");
    Some(Override { key, text: text.clone(), origin: name.clone() })
}

fn find_file(sources: &Sources, overrides: &[Override]) -> Result<Option<PathBuf>, BadConfig> {
    if let Some(path) = &sources.file {
        return match path.is_file() {
            true => Ok(Some(path.clone())),
            false => Err(BadConfig(format!("--config: there is no file {}", path.display()))),
        };
    }
    let data = overrides.iter().rev().find(|one| one.key == "server.data").map(|one| one.text.as_str());
    let in_data = Path::new(data.unwrap_or("data")).join("noren.toml");
    Ok([in_data, PathBuf::from("noren.toml")].into_iter().find(|path| path.is_file()))
}

/// Reads a file by itself first: only then can an error name its line.
fn read_file(path: &Path) -> Result<Table, BadConfig> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| BadConfig(format!("{shown}: {error}")))?;
    let at = |error: &toml::de::Error| match error.span() {
        Some(span) => format!("{shown}:{}", text.get(..span.start).unwrap_or(&text).matches('\n').count() + 1),
        None => shown.to_string(),
    };
    let deserializer =
        toml::Deserializer::parse(&text).map_err(|error| BadConfig(format!("{}: {}", at(&error), error.message())))?;
    serde_path_to_error::deserialize::<_, Config>(deserializer).map_err(|error| {
        let (key, inner) = (error.path().to_string(), error.inner());
        BadConfig(format!("{}: {key}: {}", at(inner), plain(inner.message())))
    })?;
    text.parse().map_err(|error: toml::de::Error| BadConfig(format!("{}: {}", at(&error), error.message())))
}

/// (key, what is wrong with it)
fn parse(table: Table) -> Result<Config, (String, String)> {
    serde_path_to_error::deserialize::<_, Config>(Value::Table(table))
        .map_err(|error| (error.path().to_string(), plain(error.inner().message())))
}

/// Without the names of Rust's types.
fn plain(message: &str) -> String {
    ["usize", "u64", "u32"].iter().fold(message.to_owned(), |text, name| match text.strip_suffix(name) {
        Some(start) => format!("{start}a whole number"),
        None => text,
    })
}

fn typed(text: &str) -> Value {
    #[derive(Deserialize)]
    struct One {
        value: Value,
    }
    let read = toml::from_str::<One>(&format!("value = {text}\n"));
    // A line break would smuggle in other keys.
    match read {
        Ok(one) if !text.contains(['\n', '\r']) => one.value,
        _ => Value::String(text.to_owned()),
    }
}

fn put(table: &mut Table, one: &Override, value: Value) -> Result<(), BadConfig> {
    let unknown = || BadConfig(format!("{}: {}: there is no such setting", one.origin, one.key));
    let (sections, key) = one.key.rsplit_once('.').ok_or_else(unknown)?;
    let mut place = table;
    for section in sections.split('.') {
        let inner = place.entry(section).or_insert_with(|| Value::Table(Table::new()));
        place = inner.as_table_mut().ok_or_else(unknown)?;
    }
    place.insert(key.to_owned(), value);
    Ok(())
}
