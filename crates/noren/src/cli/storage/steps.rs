//! How a check tells what it finds: a line for each step, and what to do where one failed.

use super::output;
use media::s3::{Bucket, Error};
use serde_json::json;

/// What came out of one step.
pub(super) enum Found {
    /// As it should be; perhaps with a word about it.
    Fine(String),
    /// Not as it should be: what was found, and what to do.
    Wrong(String, String),
    /// Nothing wrong, and something to know.
    Note(String),
    /// Not looked at, and why.
    Left(String),
}

impl Found {
    /// A step that has to succeed.
    pub(super) fn of<T>(done: Result<T, Error>) -> Found {
        match done {
            Ok(_) => Found::Fine(String::new()),
            Err(error) => Found::from_error(&error),
        }
    }

    pub(super) fn from_error(error: &Error) -> Found {
        Found::Wrong(error.to_string(), advice(error).unwrap_or("see what it says").to_owned())
    }
}

/// The steps so far.
pub(super) struct Report {
    json: bool,
    pub failed: usize,
    pub all: usize,
}

impl Report {
    pub(super) fn new(json: bool) -> Report {
        Report { json, failed: 0, all: 0 }
    }

    /// Answers whether it was fine.
    pub(super) fn step(&mut self, name: &str, found: Found) -> bool {
        self.all += 1;
        let (word, text, advice) = match &found {
            Found::Fine(text) => ("ok", text.as_str(), None),
            Found::Wrong(text, advice) => ("FAIL", text.as_str(), Some(advice.as_str())),
            Found::Note(text) => ("note", text.as_str(), None),
            Found::Left(text) => ("-", text.as_str(), None),
        };
        self.failed += usize::from(advice.is_some());
        if self.json {
            let outcome = if word == "-" { "skipped" } else { word };
            let outcome = outcome.to_ascii_lowercase();
            output::line(json!({"step": name, "outcome": outcome, "found": text, "advice": advice}));
        } else {
            let text = if text.is_empty() { String::new() } else { format!(": {text}") };
            output::line(format_args!("{word:<5} {name}{text}"));
            if let Some(advice) = advice {
                output::line(format_args!("      what to do: {advice}"));
            }
        }
        advice.is_none()
    }
}

const UNKNOWN_KEY: &str = "this server knows no such key: check access_key, and that it is of this provider";

/// What to do about an error.
pub(super) fn advice(error: &Error) -> Option<&'static str> {
    Some(match error {
        Error::Denied { anonymous: true, .. } => {
            "it was asked without a key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (access_key and secret_key in a \
             configuration)"
        }
        Error::Denied { code, message, .. } => match code.as_str() {
            "InvalidAccessKeyId" | "NotSignedUp" | "Unauthorized" => UNKNOWN_KEY,
            _ if message.contains("No such key") => UNKNOWN_KEY,
            "no reason given" => {
                "check access_key, secret_key and region; if they are right, allow the key to do this (s3:ListBucket on the \
                 bucket, s3:GetObject, s3:PutObject and s3:DeleteObject on what is in it)"
            }
            "SignatureDoesNotMatch" => "check secret_key, then region: both go into the signature",
            _ => {
                "allow the key s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject, s3:DeleteObject and \
                 s3:AbortMultipartUpload on what is in it"
            }
        },
        Error::NoBucket(_) => "check its name and the region if it should be there",
        Error::Certificate { why, .. } if why.contains("authority that is not known") => {
            "if it is an authority of your own, name its file: --authority, or authorities beside the endpoint in the \
             configuration; if not, somebody else answers there"
        }
        Error::Certificate { why, .. } if why.contains("another name") => {
            "write a name in the endpoint that the certificate is for, or give the server one for this name"
        }
        Error::Certificate { why, .. } if why.contains("authority's own") => {
            "make the server a certificate that is none of an authority: basicConstraints CA:FALSE, and its name in \
             subjectAltName"
        }
        Error::Certificate { .. } => "give the server there another certificate, or set this machine's clock",
        Error::Unreachable { why, .. } if why.contains("corrupt message") => {
            "it speaks no https there: write http:// in the endpoint, or the port that speaks it"
        }
        Error::Unreachable { .. } => "check the endpoint (name, port, http or https), DNS and the firewall",
        Error::TimedOut { .. } => "try again; if it stays so, raise answer_timeout and ask the provider",
        Error::Clock { .. } => "set the clock, and let it be kept right: timedatectl set-ntp true",
        Error::Region(_) => "set region to that, and an endpoint that belongs to it",
        Error::Unsupported { .. } => "this provider lacks something that Noren needs: take another",
        Error::Busy { .. } | Error::Failed { .. } => "the provider has a problem: try again later",
        Error::Refused { code, .. } if code == "no reason given" => {
            "something that speaks no S3 answers there, or not at this port: check the endpoint (http or https, port, path)"
        }
        Error::Broken { .. } => "something that speaks no S3 answers there: check the endpoint",
        _ => return None,
    })
}

/// What a stranger could do with the bucket itself.
pub(super) fn refused<T>(done: Result<T, Error>, bucket: &Bucket, what: &str) -> Found {
    match done {
        Err(
            error @ (Error::Unreachable { .. }
            | Error::Certificate { .. }
            | Error::TimedOut { .. }
            | Error::Busy { .. }),
        ) => Found::from_error(&error),
        Err(_) => Found::Fine(String::new()),
        Ok(_) => {
            let how = match bucket.preset().map(|preset| preset.source) {
                Some(source) => format!(" ({source})"),
                None => String::new(),
            };
            Found::Wrong(
                format!("anybody on the Internet can {what} this bucket"),
                format!(
                    "`noren storage policy private`, and `noren storage policy private --acl` where there are ACLs; \
                     then public-read again if strangers are to read{how}"
                ),
            )
        }
    }
}
