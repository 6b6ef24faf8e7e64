//! Whole servers that this site wants nothing of, or little: Mastodon's domain blocks, and the list of those that are
//! allowed where federation is limited.
//!
//! A rule is written and takes effect for what arrives and for what is asked within a second ([`Known`]); what was known
//! of the domain before is marked by a job ([`apply`]), account by account, so that taking the rule back takes the marks
//! back too.

pub mod allows;
mod apply;
pub mod csv;
mod known;
pub mod name;
mod purge;
mod rules;
pub mod store;

pub use apply::{Applied, Extent, apply, extent};
pub use known::Known;
pub use purge::{Contents, contents, purge};
pub use rules::{Rule, Rules};

use crate::{
    Error, Result, Time,
    accounts::Account,
    db::{Conn, Db, Tx, stored_enum},
    ids::{self, AccountId, DomainBlockId},
    jobs::Job,
    media, row,
};
use aws_lc_rs::digest::{SHA256, digest};

/// Characters of a comment.
const COMMENT: usize = 2_000;
/// Rules that are written in one transaction.
const TOGETHER: usize = 500;

stored_enum! {
    /// From mild to strict.
    pub enum Severity {
        /// Nothing but what is said of media and reports.
        Noop = 0 => "noop",
        /// Accounts are limited: known to who follows them or looks for them.
        Silence = 1 => "silence",
        /// Nothing is taken, fetched, sent or shown.
        Suspend = 2 => "suspend",
    }
}

row! {
    /// A rule about a server and all that is below its name.
    /// <https://docs.joinmastodon.org/entities/Admin_DomainBlock/>
    #[derive(PartialEq)]
    pub struct DomainBlock {
        pub id: DomainBlockId,
        pub domain: String,
        pub severity: Severity,
        pub reject_media: bool,
        pub reject_reports: bool,
        pub private_comment: String,
        pub public_comment: String,
        /// Whether the public list shows the name in part only.
        pub obfuscate: bool,
        pub created_at: Time,
    }
}

impl DomainBlock {
    /// The usual rule for a domain: silenced, nothing else.
    pub fn named(domain: &str) -> Self {
        Self {
            id: DomainBlockId(0),
            domain: domain.to_owned(),
            severity: Severity::Silence,
            reject_media: false,
            reject_reports: false,
            private_comment: String::new(),
            public_comment: String::new(),
            obfuscate: false,
            created_at: Time(0),
        }
    }

    /// SHA-256 of the domain in hexadecimal: who knows the name can find it where it is shown in part.
    pub fn digest(&self) -> String {
        digest(&SHA256, self.domain.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The name as strangers are shown it: whole, or with stars for all but its beginning and end.
    pub fn shown(&self) -> String {
        if !self.obfuscate {
            return self.domain.clone();
        }
        let length = self.domain.chars().count();
        let kept = length / 4;
        let star = |(at, c): (usize, char)| if c == '.' || at <= kept || at + kept >= length { c } else { '*' };
        self.domain.chars().enumerate().map(star).collect()
    }
}

/// What a rule did to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    New,
    Changed,
    Same,
}

/// Makes a rule, in the place of the one that there was for this domain. `wanted.id` and `created_at` do not matter.
/// [`Error::Invalid`] for what is no name of a server, and for comments that are too long.
pub async fn block(db: &Db, wanted: &DomainBlock) -> Result<(DomainBlock, Written)> {
    let mut tx = db.begin().await?;
    let (block, written) = write(&tx, wanted).await?;
    if written != Written::Same {
        changed(&mut tx, &block).await?;
        tx.commit().await?;
    }
    Ok((block, written))
}

/// As [`block`] for many: they become true a few at a time, and one job marks all who are concerned by these.
pub async fn block_all(db: &Db, wanted: &[DomainBlock], mut progress: impl FnMut(usize)) -> Result<()> {
    for some in wanted.chunks(TOGETHER) {
        let mut tx = db.begin_long().await?;
        let mut written = Vec::new();
        for block in some {
            let (block, how) = write(&tx, block).await?;
            written.extend((how != Written::Same).then_some(block));
        }
        if !written.is_empty() {
            store::touch(&tx).await?;
            let was = written.iter().map(|block| block.created_at.millis()).collect();
            let domains = written.into_iter().map(|block| block.domain).collect();
            tx.enqueue(Job::ApplyDomainBlocks { domains, was }).await?;
        }
        tx.commit().await?;
        progress(some.len());
    }
    Ok(())
}

async fn write(tx: &Tx, wanted: &DomainBlock) -> Result<(DomainBlock, Written)> {
    let Some(domain) = name::normal(&wanted.domain) else {
        return Err(Error::invalid("Domain", "is not the name of a server"));
    };
    for comment in [&wanted.private_comment, &wanted.public_comment] {
        if comment.chars().count() > COMMENT {
            return Err(Error::invalid("Comment", format!("is too long (maximum is {COMMENT} characters)")));
        }
    }
    let before = store::by_domain(tx, &domain).await?;
    let text = |comment: &str| comment.trim().replace('\0', "");
    let block = DomainBlock {
        id: before.as_ref().map_or_else(ids::next, |b| b.id),
        domain,
        private_comment: text(&wanted.private_comment),
        public_comment: text(&wanted.public_comment),
        created_at: before.as_ref().map_or(tx.now, |b| b.created_at),
        ..wanted.clone()
    };
    let written = match &before {
        Some(before) if *before == block => return Ok((block, Written::Same)),
        Some(_) => Written::Changed,
        None => Written::New,
    };
    store::put(tx, &block).await?;
    Ok((block, written))
}

/// Takes a rule back. What it was; [`Error::NotFound`] when there was none.
pub async fn unblock(db: &Db, domain: &str) -> Result<DomainBlock> {
    let domain = name::normal(domain).ok_or(Error::NotFound)?;
    let mut tx = db.begin().await?;
    let block = store::by_domain(&tx, &domain).await?.ok_or(Error::NotFound)?;
    store::delete(&tx, block.id).await?;
    changed(&mut tx, &block).await?;
    tx.commit().await?;
    Ok(block)
}

/// Who holds rules at hand reads them anew, and a job marks who is concerned.
async fn changed(tx: &mut Tx, block: &DomainBlock) -> Result<()> {
    store::touch(tx).await?;
    tx.enqueue(Job::ApplyDomainBlock { domain: block.domain.clone(), was: block.created_at.millis() }).await
}

/// All rules, by domain.
pub async fn list(conn: &Conn) -> Result<Vec<DomainBlock>> {
    store::list(conn).await
}

/// The rule for just this domain.
pub async fn by_domain(conn: &Conn, domain: &str) -> Result<Option<DomainBlock>> {
    match name::normal(domain) {
        Some(domain) => store::by_domain(conn, &domain).await,
        None => Ok(None),
    }
}

/// All rules in a form that can be asked.
pub async fn rules(conn: &Conn) -> Result<Rules> {
    Ok(Rules::new(&store::list(conn).await?, allows::list(conn).await?.into_iter().map(|allow| allow.domain)))
}

/// What holds for an account with `domain` in its handle and its actor on `host`, by the rules of this moment.
pub(crate) async fn rule_of_account(conn: &Conn, domain: &str, host: &str) -> Result<Rule> {
    let names: Vec<String> = [domain, host].into_iter().filter_map(name::normal).collect();
    let mut covering: Vec<String> = names.iter().flat_map(|n| name::covering(n)).map(str::to_owned).collect();
    covering.sort_unstable();
    covering.dedup();
    let found = store::by_domains(conn, covering).await?;
    Ok(Rules::new(&found, []).rule_of_account(domain, host))
}

/// Remembers where an account is, and limits it if its server is limited. When; None when it is not.
pub(crate) async fn settle(tx: &Tx, id: AccountId, (rule, host): (Rule, &str)) -> Result<Option<Time>> {
    store::put_host(tx, id, host).await?;
    if let Some(at) = rule.silenced_at() {
        store::silence(tx, id, at).await?;
        return Ok(Some(at));
    }
    Ok(None)
}

/// Hides an account of a server that is suspended since `at`; a job ends its follows.
pub(crate) async fn hide(tx: &mut Tx, account: &Account, at: Time) -> Result<()> {
    if !store::suspend(tx, account.id, at).await? {
        return Ok(());
    }
    media::forget_account(tx, account.id).await?;
    let domain = account.domain.clone().unwrap_or_default();
    tx.enqueue(Job::ApplyDomainBlock { domain, was: at.millis() }).await
}

#[cfg(test)]
mod tests;
