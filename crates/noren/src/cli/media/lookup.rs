//! `noren media lookup`

use crate::cli::{Failure, output};
use crate::copies::{self, Rows, Whose};
use crate::server::Parts;
use anyhow::anyhow;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use domain::db::Conn;
use domain::{Result, accounts, emojis, statuses};
use media::keys::{is_address, shown};
use serde_json::json;

/// Say whose a file is: by its link, its name in the store, or the address where it is from
#[derive(Debug, Args)]
pub(super) struct Lookup {
    /// The file
    #[arg(value_name = "URL|PATH", value_parser = NonEmptyStringValueParser::new())]
    file: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What is said of a file.
struct Told {
    what: &'static str,
    whose: String,
    /// The page on which it is seen.
    page: String,
    /// Where a copy is from.
    from: Option<String>,
}

impl Lookup {
    pub(super) async fn run(self, parts: &Parts) -> Result<(), Failure> {
        let asked = self.file.split(['?', '#']).next().unwrap_or_default();
        let media_url = format!("{}/", parts.site.media_url);
        let path = asked.strip_prefix(&media_url).unwrap_or(asked).trim_start_matches('/');
        let conn = parts.db.read_long().await?;
        let called_after: Vec<(Whose, String)> = match copies::what(path) {
            Some(what) => {
                let rows = Rows::of(&conn, [what].into_iter()).await?;
                let named = rows.stored(what).iter().find(|stored| shown(what, stored) == path || *stored == path);
                rows.whose(what).cloned().zip(named.cloned()).into_iter().collect()
            }
            None => Vec::new(),
        };
        // Rows that came from elsewhere may name files that are called after other rows.
        let found = match called_after.is_empty() {
            true => by_name(&conn, if is_address(path) { &self.file } else { path }).await?,
            false => called_after,
        };
        let mut told = Vec::new();
        for (whose, named) in found {
            told.extend(tell(&conn, whose, &named).await?);
        }
        if told.is_empty() {
            return Err(anyhow!("no row names a file that is called {}", self.file).into());
        }
        self.print(&told)
    }

    fn print(&self, told: &[Told]) -> Result<(), Failure> {
        if self.json {
            let row = |t: &Told| json!({ "what": t.what, "whose": t.whose, "page": t.page, "from": t.from });
            return Ok(output::json(&told.iter().map(row).collect::<Vec<_>>())?);
        }
        let row = |t: &Told| {
            let from = t.from.clone().unwrap_or_else(|| "here".to_owned());
            [t.what.to_owned(), t.whose.clone(), t.page.clone(), from]
        };
        output::table(["WHAT", "WHOSE", "PAGE", "FROM"], &told.iter().map(row).collect::<Vec<_>>());
        Ok(())
    }
}

/// Rows that name exactly this, whatever they are called after.
async fn by_name(conn: &Conn, name: &str) -> Result<Vec<(Whose, String)>> {
    let names = [name.to_owned()];
    let media = domain::media::naming(conn, &names).await?.into_iter().map(|row| Whose::Attachment(Box::new(row)));
    let accounts = accounts::store::naming(conn, &names).await?.into_iter().map(|row| Whose::Account(Box::new(row)));
    let emojis = emojis::naming(conn, &names).await?.into_iter().map(|row| Whose::Emoji(Box::new(row)));
    Ok(media.chain(accounts).chain(emojis).map(|whose| (whose, name.to_owned())).collect())
}

/// `named`: what the row has written down for the file.
async fn tell(conn: &Conn, whose: Whose, named: &str) -> Result<Option<Told>> {
    let from = is_address(named).then(|| named.to_owned());
    let of = async |account| {
        let account = accounts::store::by_id(conn, account).await?;
        Ok::<_, domain::Error>(account.map_or_else(String::new, |account| format!("@{}", account.acct())))
    };
    Ok(Some(match whose {
        Whose::Attachment(row) => {
            let status = match row.status_id {
                Some(id) => statuses::store::by_id(conn, id).await?,
                None => None,
            };
            let page = status.map_or_else(String::new, |status| status.url.unwrap_or(status.uri));
            Told { what: "attachment", whose: of(row.account_id).await?, page, from }
        }
        Whose::Account(row) => {
            let is_avatar = [&row.avatar, &row.avatar_static].into_iter().flatten().any(|stored| stored == named);
            let what = if is_avatar { "avatar" } else { "header" };
            Told { what, whose: format!("@{}", row.acct()), page: row.url, from }
        }
        Whose::Emoji(row) => {
            let domain = row.domain.unwrap_or_default();
            Told { what: "emoji", whose: format!(":{}:", row.shortcode), page: domain, from }
        }
        Whose::Card(row) => Told { what: "preview", whose: String::new(), page: row.url, from },
    }))
}
