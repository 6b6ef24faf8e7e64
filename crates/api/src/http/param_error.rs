//! What is wrong with a parameter, and which one it is.

use super::error::ApiError;
use super::tree::shorten;
use serde::de;
use std::fmt::{self, Display};

#[derive(Debug)]
pub(super) struct ParamError {
    /// Innermost first.
    pub(super) path: Vec<String>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Missing(&'static str),
    Blank,
    NotAllowed(String),
    Wrong(String),
}

impl ParamError {
    pub(super) fn new(kind: Kind) -> Self {
        Self { path: Vec::new(), kind }
    }
    pub(super) fn wrong(why: &str) -> Self {
        Self::new(Kind::Wrong(why.into()))
    }
    pub(super) fn within(mut self, key: &str) -> Self {
        self.path.push(key.to_owned());
        self
    }
    /// `poll[options][0]`
    fn name(&self) -> String {
        let inner = if let Kind::Missing(field) = self.kind { Some(field) } else { None };
        let mut keys = self.path.iter().rev().map(String::as_str).chain(inner);
        let mut name = keys.next().unwrap_or_default().to_owned();
        for key in keys {
            name.push('[');
            name.push_str(key);
            name.push(']');
        }
        shorten(&name).into_owned()
    }
}

impl Display for ParamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Missing(_) | Kind::Blank => write!(f, "param is missing or the value is empty: {}", self.name()),
            Kind::NotAllowed(value) => {
                write!(f, "'{}' is not a valid {}", shorten(value), self.path.first().map_or("value", |s| s))
            }
            Kind::Wrong(why) => write!(f, "Invalid parameter {}: {}", self.name(), shorten(why)),
        }
    }
}

impl std::error::Error for ParamError {}

impl de::Error for ParamError {
    fn custom<T: Display>(why: T) -> Self {
        Self::new(Kind::Wrong(why.to_string()))
    }
    fn missing_field(field: &'static str) -> Self {
        Self::new(Kind::Missing(field))
    }
    fn unknown_variant(variant: &str, _: &'static [&'static str]) -> Self {
        Self::new(Kind::NotAllowed(variant.to_owned()))
    }
}

impl From<ParamError> for ApiError {
    fn from(e: ParamError) -> Self {
        match e.kind {
            Kind::NotAllowed(_) => ApiError::unprocessable(e.to_string()),
            _ => ApiError::bad_request(e.to_string()),
        }
    }
}
