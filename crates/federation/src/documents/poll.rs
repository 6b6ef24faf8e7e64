//! The poll of a Question.

use super::reader::Reader;
use domain::Time;
use serde_json::Value;
use std::collections::HashSet;

const CHOICES: usize = 500;
const NAME: usize = 2048;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Poll {
    pub multiple: bool,
    pub choices: Vec<Choice>,
    /// When it ends, or ended; None: never.
    pub ends_at: Option<Time>,
    /// Nobody can vote any more.
    pub closed: bool,
    /// How many people voted, where the author's server tells.
    pub voters: Option<u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    pub name: String,
    /// None: not told.
    pub votes: Option<u64>,
}

impl Poll {
    /// None when nothing can be chosen.
    pub(super) fn read(reader: Reader<'_>) -> Option<Self> {
        let multiple = !reader.list("anyOf").is_empty();
        let mut seen = HashSet::new();
        let choice = |value: &Value| {
            let choice = Reader::of(value).ok()?;
            let name = choice.cut("name", NAME);
            let replies = choice.first("replies").and_then(Value::as_object).map(Reader);
            let votes = replies.and_then(|it| it.count("totalItems"));
            // A vote names its choice: two of one name could not be told apart.
            (!name.trim().is_empty() && seen.insert(name.clone())).then_some(Choice { name, votes })
        };
        let list = reader.list(if multiple { "anyOf" } else { "oneOf" });
        let choices: Vec<Choice> = list.iter().filter_map(choice).take(CHOICES).collect();
        let closed_at = reader.time("closed");
        let closed = match reader.first("closed") {
            Some(Value::Bool(closed)) => *closed,
            _ => closed_at.is_some_and(|at| at <= Time::now()),
        };
        // It may be over before its time.
        let ends_at = closed_at.filter(|_| closed).or_else(|| reader.time("endTime")).or(closed_at);
        (!choices.is_empty()).then(|| Self { multiple, choices, ends_at, closed, voters: reader.count("votersCount") })
    }
}
