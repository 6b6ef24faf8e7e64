//! From the text of a file to a configuration; what is wrong is told with its place and what was expected.

use super::EdgeConfig;
use std::fmt;
use std::path::Path;

/// The configuration cannot be used; the text names the place, the key and what is expected.
#[derive(Debug)]
pub struct BadConfig(pub String);

impl fmt::Display for BadConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadConfig {}

impl EdgeConfig {
    /// Reads and checks a file.
    pub fn read(file: &Path) -> Result<EdgeConfig, BadConfig> {
        let shown = file.display();
        let text = std::fs::read_to_string(file).map_err(|error| BadConfig(format!("{shown}: {error}")))?;
        Self::parse(&text, &shown.to_string())
    }

    /// Reads and checks `text`; `place` is how its file is called.
    pub fn parse(text: &str, place: &str) -> Result<EdgeConfig, BadConfig> {
        let at = |error: &toml::de::Error| match error.span() {
            Some(span) => format!("{place}:{}", text.get(..span.start).unwrap_or(text).matches('\n').count() + 1),
            None => place.to_owned(),
        };
        let deserializer = toml::Deserializer::parse(text)
            .map_err(|error| BadConfig(format!("{}: {}", at(&error), error.message())))?;
        let config: EdgeConfig = serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let (key, inner) = (error.path().to_string(), error.inner());
            BadConfig(format!("{}: {key}: {}", at(inner), plain(inner.message())))
        })?;
        config.check().map_err(|why| BadConfig(format!("{place}: {why}")))?;
        Ok(config)
    }

    /// A cache without a place of its own is in the folder of the data.
    pub fn in_data(mut self, data: &Path) -> EdgeConfig {
        self.server.data = data.to_owned();
        self.cache.path = data.join(&self.cache.path);
        self
    }
}

/// Without the names of Rust's types.
fn plain(message: &str) -> String {
    ["usize", "u64", "u32"].iter().fold(message.to_owned(), |text, name| match text.strip_suffix(name) {
        Some(start) => format!("{start}a whole number"),
        None => text,
    })
}
