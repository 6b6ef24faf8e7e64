//! The access log: one line for each request, written by a thread of its own, so that a slow disk delays no answer.

use crate::config::{AccessLogConfig, AccessLogFormat};
use crate::sites::Client;
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode, header};
use jiff::{Timestamp, Zoned};
use serde::Serialize;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::time::Duration;

/// Lines that wait for the disk; more are dropped and counted.
const WAITING: usize = 16 * 1024;
/// Longest value of a header that is written, bytes.
const LONGEST: usize = 1024;

/// Where lines go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct AccessLog(Option<Arc<Lines>>);

struct Lines {
    format: AccessLogFormat,
    sender: SyncSender<Message>,
    dropped: AtomicU64,
}

enum Message {
    Line(String),
    Reopen,
}

impl AccessLog {
    pub(crate) fn open(config: &AccessLogConfig) -> io::Result<AccessLog> {
        if config.format == AccessLogFormat::Off {
            return Ok(AccessLog(None));
        }
        let output = Output::open(config.file.clone())?;
        let (sender, receiver) = sync_channel(WAITING);
        std::thread::Builder::new().name("access-log".into()).spawn(move || write(output, &receiver))?;
        Ok(AccessLog(Some(Arc::new(Lines { format: config.format, sender, dropped: AtomicU64::new(0) }))))
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn write(&self, line: Line) {
        let Some(lines) = &self.0 else { return };
        let text = match lines.format {
            AccessLogFormat::Json => serde_json::to_string(&line).unwrap_or_default(),
            AccessLogFormat::Combined | AccessLogFormat::Off => line.combined(),
        };
        if let Err(TrySendError::Full(_)) = lines.sender.try_send(Message::Line(text)) {
            lines.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn reopen(&self) {
        if let Some(lines) = &self.0 {
            let _ = lines.sender.try_send(Message::Reopen);
        }
    }

    /// Lines that were not written because the disk was too slow.
    pub(crate) fn dropped(&self) -> u64 {
        self.0.as_ref().map_or(0, |lines| lines.dropped.load(Ordering::Relaxed))
    }
}

struct Output {
    file: Option<PathBuf>,
    writer: BufWriter<Box<dyn Write + Send>>,
}

impl Output {
    fn open(file: Option<PathBuf>) -> io::Result<Output> {
        let writer: Box<dyn Write + Send> = match &file {
            Some(path) => Box::new(append(path)?),
            None => Box::new(io::stdout()),
        };
        Ok(Output { file, writer: BufWriter::with_capacity(64 * 1024, writer) })
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

/// Until nobody can send any more. Lines are on the disk when no more of them wait.
fn write(mut output: Output, receiver: &Receiver<Message>) {
    let mut next = receiver.recv().ok();
    while let Some(message) = next {
        match message {
            Message::Line(line) => {
                // Nobody can be told: the log is where one would tell it.
                let _ = output.writer.write_all(line.as_bytes()).and_then(|()| output.writer.write_all(b"\n"));
            }
            Message::Reopen => {
                let _ = output.writer.flush();
                match Output::open(output.file.clone()) {
                    Ok(new) => output = new,
                    Err(error) => tracing::error!(%error, "the access log cannot be opened again"),
                }
            }
        }
        next = match receiver.try_recv() {
            Ok(message) => Some(message),
            Err(TryRecvError::Empty) => {
                let _ = output.writer.flush();
                receiver.recv().ok()
            }
            Err(TryRecvError::Disconnected) => None,
        };
    }
    let _ = output.writer.flush();
}

/// What is written of one request. The query is left out: it may hold what is nobody's business.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Line {
    time: Timestamp,
    client: Option<std::net::IpAddr>,
    site: String,
    host: String,
    method: String,
    path: String,
    version: &'static str,
    status: u16,
    bytes: u64,
    /// Microseconds.
    micros: u64,
    cache: Option<&'static str>,
    range: Option<String>,
    referer: Option<String>,
    user_agent: Option<String>,
}

impl Line {
    pub(crate) fn new(request: &Parts, (status, cache): (StatusCode, Option<&'static str>), site: &str) -> Line {
        let text = |name: &HeaderName| {
            let value = request.headers.get(name)?;
            Some(String::from_utf8_lossy(&value.as_bytes()[..value.len().min(LONGEST)]).into_owned())
        };
        let host = request.uri.host().map(str::to_owned).or_else(|| text(&header::HOST));
        Line {
            time: Timestamp::now(),
            client: request.extensions.get::<Client>().map(|client| client.0),
            site: site.to_owned(),
            host: host.unwrap_or_default(),
            method: request.method.as_str().chars().take(32).collect(),
            path: request.uri.path().to_owned(),
            version: version(request.version),
            status: status.as_u16(),
            bytes: 0,
            micros: 0,
            cache,
            range: text(&header::RANGE),
            referer: text(&header::REFERER),
            user_agent: text(&header::USER_AGENT),
        }
    }

    pub(crate) fn ended(mut self, bytes: u64, took: Duration) -> Line {
        self.bytes = bytes;
        self.micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self
    }

    /// The combined format, then the host, how the cache answered, and seconds.
    fn combined(&self) -> String {
        let client = self.client.map_or_else(|| "-".to_owned(), |client| client.to_string());
        let time = Zoned::new(self.time, jiff::tz::TimeZone::UTC).strftime("%d/%b/%Y:%H:%M:%S %z").to_string();
        let mut line = format!("{client} - - [{time}] \"");
        escape(&mut line, &format!("{} {} {}", self.method, self.path, self.version));
        let _ = write!(line, "\" {} {} \"", self.status, self.bytes);
        escape(&mut line, self.referer.as_deref().unwrap_or("-"));
        line.push_str("\" \"");
        escape(&mut line, self.user_agent.as_deref().unwrap_or("-"));
        line.push_str("\" \"");
        escape(&mut line, &self.host);
        let seconds = Duration::from_micros(self.micros).as_secs_f64();
        let _ = write!(line, "\" {} {seconds:.3}", self.cache.unwrap_or("-"));
        line
    }
}

/// What a client sends cannot end a field or a line.
fn escape(line: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '"' | '\\' => line.extend(['\\', letter]),
            letter if letter.is_control() => {
                let _ = write!(line, "\\x{:02X}", u32::from(letter));
            }
            letter => line.push(letter),
        }
    }
}

fn version(version: axum::http::Version) -> &'static str {
    match version {
        axum::http::Version::HTTP_10 => "HTTP/1.0",
        axum::http::Version::HTTP_2 => "HTTP/2.0",
        _ => "HTTP/1.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn line() -> Line {
        let mut request = Request::get("http://Media.example/a%20b.png?token=secret")
            .header("user-agent", "a \"quoted\" \\ agent")
            .header("referer", b"https://x/\xff\t".as_slice())
            .body(())
            .unwrap();
        request.extensions_mut().insert(Client("2001:db8::1".parse().unwrap()));
        let (request, ()) = request.into_parts();
        let line = Line::new(&request, (StatusCode::OK, Some("HIT")), "media.example/");
        Line { time: "2026-11-26T06:00:00Z".parse().unwrap(), ..line.ended(1234, Duration::from_millis(5)) }
    }

    #[test]
    fn clients_cannot_break_lines() {
        let expected = "2001:db8::1 - - [26/Nov/2026:06:00:00 +0000] \"GET /a%20b.png HTTP/1.1\" 200 1234 \
                        \"https://x/\u{fffd}\\x09\" \"a \\\"quoted\\\" \\\\ agent\" \"Media.example\" HIT 0.005";
        assert_eq!(line().combined(), expected);
        let json = serde_json::to_value(line()).unwrap();
        assert_eq!(
            (&json["path"], &json["cache"], &json["micros"]),
            (&"/a%20b.png".into(), &"HIT".into(), &5000.into())
        );
        assert!(!json.to_string().contains("secret"));
    }

    #[test]
    fn files_are_opened_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("access.log");
        let config = AccessLogConfig { format: AccessLogFormat::Json, file: Some(file.clone()) };
        let log = AccessLog::open(&config).unwrap();
        let lines = |path: &Path, count: usize| {
            for _ in 0..200 {
                if std::fs::read_to_string(path).is_ok_and(|text| text.lines().count() == count) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            panic!("{count} lines in {}", path.display());
        };
        log.write(line());
        log.write(line());
        lines(&file, 2);
        let old = folder.path().join("access.log.1");
        std::fs::rename(&file, &old).unwrap();
        log.reopen();
        log.write(line());
        lines(&file, 1);
        lines(&old, 2);
        assert_eq!(log.dropped(), 0);
    }
}
