//! What is known about the software whose files are served: one table.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Whose files they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Software {
    Mastodon,
    MisskeyV10,
    MisskeyV11,
    Misskey,
    Pleroma,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    pub software: Software,
    /// The word in the configuration and on the command line.
    pub name: &'static str,
    /// As people call it.
    pub title: &'static str,
    /// Where its own web server has the files: the replaced directory.
    pub path: &'static str,
    /// The folder of the files below where it is installed; none where they are in its database.
    pub folder: Option<&'static str>,
    /// What names in a bucket begin with, as it is usually set up.
    pub bucket_prefix: &'static str,
    /// What is public; the rest is not served. Empty: everything.
    pub public: &'static [&'static str],
    /// Folders beside the media that nobody is to see, and what is in them.
    pub closed: &'static [(&'static str, &'static str)],
    /// Parameters of the query that say which file is meant.
    pub query: &'static [&'static str],
    /// Where these facts are from.
    pub sources: &'static [&'static str],
}

/// Mastodon keeps archives of accounts (`backups`) and lists that people upload (`imports`) beside the media, in the same
/// bucket with a private ACL. A signed request would get them: they are not public.
///
/// Misskey's files lie flat: bare UUIDs in folders and in buckets up to v11 (with the extension in buckets); since v12
/// `thumbnail-` and `webpublic-` before some. Version 10 keeps files in MongoDB unless it has a bucket, and says in the
/// query which version of a file is meant.
///
/// Pleroma adds `?name=` only for the name under which a browser saves a file; the file does not depend on it.
pub const PRESETS: &[Preset] = &[
    Preset {
        software: Software::Mastodon,
        name: "mastodon",
        title: "Mastodon",
        path: "/system",
        folder: Some("public/system"),
        bucket_prefix: "",
        public: &["accounts", "cache", "custom_emojis", "media_attachments", "preview_cards", "site_uploads"],
        closed: &[
            ("backups", "archives that people made of their accounts"),
            ("imports", "lists of accounts that people uploaded"),
        ],
        query: &[],
        sources: &[
            "https://github.com/mastodon/mastodon/blob/main/config/initializers/paperclip.rb",
            "https://github.com/mastodon/mastodon/blob/main/app/models/backup.rb",
            "https://docs.joinmastodon.org/admin/optional/object-storage/",
        ],
    },
    Preset {
        software: Software::MisskeyV10,
        name: "misskey-v10",
        title: "Misskey v10",
        path: "/files",
        folder: None,
        bucket_prefix: "files",
        public: &[],
        closed: &[],
        query: &["thumbnail", "web", "original"],
        sources: &["https://github.com/misskey-dev/misskey/blob/10.102.0/src/misc/get-drive-file-url.ts"],
    },
    Preset {
        software: Software::MisskeyV11,
        name: "misskey-v11",
        title: "Misskey v11",
        path: "/files",
        folder: Some("files"),
        bucket_prefix: "files",
        public: &[],
        closed: &[],
        query: &[],
        sources: &["https://github.com/misskey-dev/misskey/blob/11.37.1/src/services/drive/add-file.ts"],
    },
    Preset {
        software: Software::Misskey,
        name: "misskey",
        title: "Misskey v12 and later",
        path: "/files",
        folder: Some("files"),
        bucket_prefix: "files",
        public: &[],
        closed: &[],
        query: &[],
        sources: &["https://github.com/misskey-dev/misskey/blob/develop/packages/backend/src/core/DriveService.ts"],
    },
    Preset {
        software: Software::Pleroma,
        name: "pleroma",
        title: "Pleroma and Akkoma",
        path: "/media",
        folder: Some("uploads"),
        bucket_prefix: "",
        public: &[],
        closed: &[],
        query: &[],
        sources: &[
            "https://docs-develop.pleroma.social/backend/configuration/cheatsheet/#upload",
            "https://git.pleroma.social/pleroma/pleroma/-/blob/develop/lib/pleroma/uploaders/s3.ex",
        ],
    },
];

/// What somebody who knows its name may do with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// See it.
    Public,
    /// Nothing: it is this.
    Closed(&'static str),
    /// Nothing: the software has no such files.
    Unknown,
}

impl Preset {
    /// What may be done with a file of this name, which has no prefix of a bucket in front.
    pub fn standing(&self, name: &str) -> Standing {
        let first = name.split('/').next().unwrap_or_default();
        match self.closed.iter().find(|(folder, _)| *folder == first) {
            Some((_, what)) => Standing::Closed(what),
            None if self.public.is_empty() || self.public.contains(&first) => Standing::Public,
            None => Standing::Unknown,
        }
    }
}

impl Software {
    /// What is known about it.
    pub fn preset(self) -> &'static Preset {
        let found = PRESETS.iter().find(|preset| preset.software == self);
        found.unwrap_or(&PRESETS[0])
    }
}

impl FromStr for Software {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = PRESETS.iter().find(|preset| preset.name == text);
        found.map(|preset| preset.software).ok_or_else(|| {
            let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
            format!("expected one of {}", names.join(", "))
        })
    }
}

impl fmt::Display for Software {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.preset().name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_software_has_its_own_line() {
        for preset in PRESETS {
            assert_eq!(preset.software.preset().name, preset.name);
            assert_eq!(preset.name.parse(), Ok(preset.software));
            assert_eq!(serde_json::to_value(preset.software).unwrap(), preset.name);
            assert!(preset.path.starts_with('/') && !preset.sources.is_empty(), "{}", preset.name);
        }
        let mastodon = Software::Mastodon.preset();
        assert_eq!(mastodon.standing("accounts/a.png"), Standing::Public);
        assert!(matches!(mastodon.standing("backups/a.zip"), Standing::Closed(_)));
        assert_eq!(mastodon.standing("accountsx/a.png"), Standing::Unknown);
        assert_eq!(Software::Misskey.preset().standing("thumbnail-x.png"), Standing::Public);
        assert_eq!(PRESETS.len(), 5);
        assert!("mastdon".parse::<Software>().unwrap_err().contains("misskey-v11"));
    }
}
