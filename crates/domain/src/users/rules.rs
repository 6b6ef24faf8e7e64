//! What a new user may be called and may choose. All that is wrong is told at once, in codes and in words.

use super::{NewUser, Role, store};
use crate::{Error, Result, accounts, db::Conn, tombstones};
use std::ops::RangeInclusive;

pub const USERNAME_CHARACTERS: usize = 30;
/// Few enough that hashing is cheap to ask for, many enough for any sentence.
pub const PASSWORD_CHARACTERS: RangeInclusive<usize> = 8..=128;
/// Characters of the reason that goes with a sign-up.
pub const REASON_CHARACTERS: usize = 420;
/// RFC 5321: longer addresses cannot be mailed to.
const EMAIL_BYTES: usize = 254;

/// Names that nobody may take: the site itself has them.
const OURS: &[&str] = &["relay"];

/// Names that only staff may take: strangers could pass for the site itself.
const RESERVED: &[&str] = &[
    "abuse",
    "accounts",
    "admin",
    "administrator",
    "api",
    "contact",
    "everyone",
    "help",
    "hostmaster",
    "info",
    "instance",
    "moderation",
    "moderator",
    "noren",
    "oauth",
    "official",
    "owner",
    "postmaster",
    "root",
    "security",
    "settings",
    "site",
    "staff",
    "support",
    "system",
    "webmaster",
];

/// What is wrong with one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Blank,
    Invalid,
    /// More characters than this.
    TooLong(usize),
    /// Fewer characters than this.
    TooShort(usize),
    Taken,
    Reserved,
}

/// One thing wrong with a sign-up: `field` is `username`, `email`, `password` or `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    pub field: &'static str,
    pub fault: Fault,
}

impl Problem {
    /// Mastodon's words, such as "can't be blank".
    pub fn why(&self) -> String {
        match self.fault {
            Fault::Blank => "can't be blank".into(),
            Fault::Invalid if self.field == "username" => "must contain only letters, numbers and underscores".into(),
            Fault::Invalid => "is invalid".into(),
            Fault::TooLong(most) => format!("is too long (maximum is {most} characters)"),
            Fault::TooShort(least) => format!("is too short (minimum is {least} characters)"),
            Fault::Taken => "has already been taken".into(),
            Fault::Reserved => "is reserved".into(),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let field = match problem.field {
            "username" => "Username",
            "email" => "E-mail address",
            "password" => "Password",
            _ => "Reason",
        };
        Self::invalid(field, problem.why())
    }
}

/// Everything that keeps `new` from being created, in the order of the fields; nothing when it can be.
pub async fn check(conn: &Conn, new: &NewUser) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let mut add = |field, fault: Option<Fault>| problems.extend(fault.map(|fault| Problem { field, fault }));
    match username(&new.username, new.role) {
        None => {
            let taken = accounts::store::by_handle(conn, &new.username, None).await?.is_some()
                || tombstones::is_former_name(conn, &new.username).await?;
            add("username", taken.then_some(Fault::Taken));
        }
        fault => add("username", fault),
    }
    if let Some(address) = &new.email {
        match email(address) {
            None => add("email", store::by_email(conn, address).await?.map(|_| Fault::Taken)),
            fault => add("email", fault),
        }
    }
    if let Some(chosen) = &new.password {
        add("password", password(chosen));
    }
    let long = new.reason.chars().count() > REASON_CHARACTERS;
    add("reason", long.then_some(Fault::TooLong(REASON_CHARACTERS)));
    Ok(problems)
}

fn username(name: &str, role: Role) -> Option<Fault> {
    let among = |names: &[&str]| names.iter().any(|word| word.eq_ignore_ascii_case(name));
    let reserved = || among(OURS) || (role == Role::User && among(RESERVED));
    if name.is_empty() {
        Some(Fault::Blank)
    } else if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        Some(Fault::Invalid)
    } else if name.len() > USERNAME_CHARACTERS {
        Some(Fault::TooLong(USERNAME_CHARACTERS))
    } else {
        reserved().then_some(Fault::Reserved)
    }
}

/// Only what can be no address at all is refused: the mail itself tells the rest.
pub(super) fn email(address: &str) -> Option<Fault> {
    if address.is_empty() {
        return Some(Fault::Blank);
    }
    if address.len() > EMAIL_BYTES {
        return Some(Fault::TooLong(EMAIL_BYTES));
    }
    let (name, domain) = address.rsplit_once('@').unwrap_or_default();
    let bad = |c: char| c.is_whitespace() || c.is_control() || "@,;:<>()[]\"\\/".contains(c);
    let ok = !name.is_empty() && name.len() <= 64 && !name.contains(bad) && !domain.contains(bad);
    let ok = ok && !domain.is_empty() && domain.split('.').all(|label| !label.is_empty());
    (!ok).then_some(Fault::Invalid)
}

pub(super) fn password(chosen: &str) -> Option<Fault> {
    let characters = chosen.chars().count();
    if characters == 0 {
        Some(Fault::Blank)
    } else if characters < *PASSWORD_CHARACTERS.start() {
        Some(Fault::TooShort(*PASSWORD_CHARACTERS.start()))
    } else {
        (characters > *PASSWORD_CHARACTERS.end()).then(|| Fault::TooLong(*PASSWORD_CHARACTERS.end()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let long = "a".repeat(31);
        let table = [
            ("alice", None),
            ("A_1", None),
            ("7", None),
            ("", Some(Fault::Blank)),
            ("not a name!", Some(Fault::Invalid)),
            ("花子", Some(Fault::Invalid)),
            ("a.b", Some(Fault::Invalid)),
            (long.as_str(), Some(Fault::TooLong(30))),
            ("Admin", Some(Fault::Reserved)),
            ("Relay", Some(Fault::Reserved)),
        ];
        for (name, fault) in table {
            assert_eq!(username(name, Role::User), fault, "{name}");
        }
        assert_eq!(username("admin", Role::Owner), None);
        assert_eq!(username("relay", Role::Owner), Some(Fault::Reserved));
    }

    #[test]
    fn addresses() {
        for good in ["a@b", "alice+tag@example.com", "o'neil@example.co.jp", "花@例え.jp"] {
            assert_eq!(email(good), None, "{good}");
        }
        let long = format!("{}@b", "a".repeat(65));
        for bad in ["a", "@b", "a@", "a b@c", "a@b@c", "a@b..c", "a@.b", "a\n@b", "a@b,c@d", "<a@b>", &long] {
            assert_eq!(email(bad), Some(Fault::Invalid), "{bad}");
        }
        assert!(matches!(email(&"a".repeat(300)), Some(Fault::TooLong(_))));
    }

    #[test]
    fn passwords() {
        assert_eq!(password("1234567"), Some(Fault::TooShort(8)));
        assert_eq!(password("合言葉はのれん!"), None);
        assert_eq!(password(&"x".repeat(129)), Some(Fault::TooLong(128)));
    }
}
