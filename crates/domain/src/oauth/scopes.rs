//! What a token may do: Mastodon's closed set of scopes. A parent such as `read` covers all of its children.
//!
//! <https://docs.joinmastodon.org/api/oauth-scopes/>

use std::{fmt, str::FromStr, sync::LazyLock};

macro_rules! scopes {
    ($($name:ident = $text:literal),* $(,)?) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope { $($name),* }
        impl Scope {
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
            pub fn as_str(self) -> &'static str { match self { $(Self::$name => $text),* } }
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some(Self::$name),)* _ => None } }
        }
    };
}
scopes! {
    Profile = "profile",
    Read = "read",
    ReadAccounts = "read:accounts",
    ReadBlocks = "read:blocks",
    ReadBookmarks = "read:bookmarks",
    ReadCollections = "read:collections",
    ReadFavourites = "read:favourites",
    ReadFilters = "read:filters",
    ReadFollows = "read:follows",
    ReadLists = "read:lists",
    ReadMutes = "read:mutes",
    ReadNotifications = "read:notifications",
    ReadSearch = "read:search",
    ReadStatuses = "read:statuses",
    Write = "write",
    WriteAccounts = "write:accounts",
    WriteBlocks = "write:blocks",
    WriteBookmarks = "write:bookmarks",
    WriteCollections = "write:collections",
    WriteConversations = "write:conversations",
    WriteFavourites = "write:favourites",
    WriteFilters = "write:filters",
    WriteFollows = "write:follows",
    WriteLists = "write:lists",
    WriteMedia = "write:media",
    WriteMutes = "write:mutes",
    WriteNotifications = "write:notifications",
    WriteReports = "write:reports",
    WriteStatuses = "write:statuses",
    Follow = "follow",
    Push = "push",
    AdminRead = "admin:read",
    AdminReadAccounts = "admin:read:accounts",
    AdminReadReports = "admin:read:reports",
    AdminReadDomainAllows = "admin:read:domain_allows",
    AdminReadDomainBlocks = "admin:read:domain_blocks",
    AdminReadIpBlocks = "admin:read:ip_blocks",
    AdminReadEmailDomainBlocks = "admin:read:email_domain_blocks",
    AdminReadCanonicalEmailBlocks = "admin:read:canonical_email_blocks",
    AdminWrite = "admin:write",
    AdminWriteAccounts = "admin:write:accounts",
    AdminWriteReports = "admin:write:reports",
    AdminWriteDomainAllows = "admin:write:domain_allows",
    AdminWriteDomainBlocks = "admin:write:domain_blocks",
    AdminWriteIpBlocks = "admin:write:ip_blocks",
    AdminWriteEmailDomainBlocks = "admin:write:email_domain_blocks",
    AdminWriteCanonicalEmailBlocks = "admin:write:canonical_email_blocks",
}

impl Scope {
    fn bit(self) -> u64 {
        1 << self as u32
    }

    /// The scopes that allow what this one allows: itself, its parent, and `follow` where that is what it once meant.
    fn covers(self) -> u64 {
        let parent = self.as_str().rsplit_once(':').and_then(|(parent, _)| Self::parse(parent));
        let followed = matches!(
            self,
            Self::ReadBlocks
                | Self::ReadFollows
                | Self::ReadMutes
                | Self::WriteBlocks
                | Self::WriteFollows
                | Self::WriteMutes
        );
        self.bit() | parent.map_or(0, Self::bit) | if followed { Self::Follow.bit() } else { 0 }
    }
}

/// What a text named that is no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown scope {0:?}")]
pub struct UnknownScope(pub String);

/// Some scopes. Their text form is separated by spaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scopes(u64);

impl Scopes {
    pub fn of(scopes: &[Scope]) -> Self {
        Self(scopes.iter().fold(0, |all, scope| all | scope.bit()))
    }

    /// Reads what is stored. Scopes that this program does not know allow nothing.
    pub fn stored(text: &str) -> Self {
        Self(text.split_ascii_whitespace().filter_map(Scope::parse).fold(0, |all, scope| all | scope.bit()))
    }

    /// Reads what a client asks for, which may be nothing: then it is `read`, or everything that `app` may ask for when
    /// that is not among it. None: more than the application has registered, or no scope at all.
    pub fn asked(text: &str, app: Self) -> Option<Self> {
        let asked: Self = text.parse().ok()?;
        let asked = match asked.is_empty() {
            false => asked,
            true if app.allows(Scope::Read) => Self::of(&[Scope::Read]),
            true => app,
        };
        (!asked.is_empty() && app.allows_all(asked)).then_some(asked)
    }

    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether these allow what `scope` stands for: itself, or a parent of it, is among them.
    pub fn allows(self, scope: Scope) -> bool {
        static COVERS: LazyLock<Vec<u64>> = LazyLock::new(|| Scope::ALL.iter().map(|scope| scope.covers()).collect());
        COVERS.get(scope as usize).is_some_and(|covers| self.0 & covers != 0)
    }

    pub fn allows_all(self, others: Self) -> bool {
        others.iter().all(|scope| self.allows(scope))
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.iter().copied().filter(move |scope| self.0 & scope.bit() != 0)
    }
}

impl FromStr for Scopes {
    type Err = UnknownScope;
    fn from_str(text: &str) -> Result<Self, UnknownScope> {
        let mut all = 0;
        for word in text.split_ascii_whitespace() {
            let unknown = || UnknownScope(word.chars().take(50).collect());
            all |= Scope::parse(word).ok_or_else(unknown)?.bit();
        }
        Ok(Self(all))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, scope) in self.iter().enumerate() {
            let space = if n > 0 { " " } else { "" };
            write!(f, "{space}{}", scope.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(text: &str) -> Scopes {
        text.parse().unwrap()
    }

    #[test]
    fn parents_suffice_and_children_do_not() {
        for (have, need, allowed) in [
            ("read", Scope::ReadStatuses, true),
            ("read:statuses", Scope::ReadStatuses, true),
            ("read:statuses", Scope::Read, false),
            ("read:accounts", Scope::ReadStatuses, false),
            ("write", Scope::ReadStatuses, false),
            ("follow", Scope::WriteMutes, true),
            ("follow", Scope::ReadBlocks, true),
            ("follow", Scope::WriteStatuses, false),
            ("write:follows", Scope::Follow, false),
            ("admin:read", Scope::AdminReadReports, true),
            ("read write", Scope::AdminReadReports, false),
            ("read", Scope::Profile, false),
            ("", Scope::Read, false),
        ] {
            assert_eq!(scopes(have).allows(need), allowed, "{have} for {need:?}");
        }
        assert!(Scope::ALL.len() <= 64);
    }

    #[test]
    fn text_form() {
        assert_eq!(scopes("  push  read\tread ").to_string(), "read push");
        assert_eq!("read nonsense".parse::<Scopes>(), Err(UnknownScope("nonsense".into())));
        assert_eq!(Scopes::stored("read of:the:future").to_string(), "read");
        for scope in Scope::ALL {
            assert_eq!(Scope::parse(scope.as_str()), Some(*scope));
        }
    }

    #[test]
    fn a_client_may_ask_for_less_and_never_for_more() {
        let app = scopes("read write:media");
        assert_eq!(Scopes::asked("", app), Some(scopes("read")));
        assert_eq!(Scopes::asked("read:statuses", app), Some(scopes("read:statuses")));
        assert_eq!(Scopes::asked("write", app), None);
        assert_eq!(Scopes::asked("read admin:read", app), None);
        assert_eq!(Scopes::asked("nonsense", app), None);
        assert_eq!(Scopes::asked("", scopes("push")), Some(scopes("push")));
    }
}
