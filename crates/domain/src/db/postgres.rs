//! PostgreSQL through a pool; statements are prepared once for each connection, and planned once: planning a look-up by
//! key takes several times as long as the look-up. A list of one is compared as one: for a list of any length whole tables
//! are read that were small when that was planned. Planned each time, with their values, are pages (`LIMIT $n`): whoever
//! does not know how few rows are wanted sorts all of them, which turned a page of 1 ms into one of 15 ms; and what waits in
//! the queue ([`SWELLING`]).
//! <https://www.postgresql.org/docs/current/sql-prepare.html#SQL-PREPARE-NOTES>

use super::{DatabaseConfig, Params, Row, dialect, dialect::Forms, params};
use crate::{Error, Result};
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime, Timeouts};
use futures_util::join;
use std::time::Duration;
use tokio_postgres::types::ToSql;

/// The table that is empty most of the time and long a second later. A plan made while it is empty reads all of it for
/// each row, and lasts until statistics are gathered again, which is a minute later or more.
const SWELLING: &str = " jobs ";

pub(super) fn pool(config: &DatabaseConfig) -> Result<Pool> {
    let mut settings: tokio_postgres::Config = config
        .url
        .parse()
        .map_err(|e: tokio_postgres::Error| Error::invalid("database.url", format!("is not understood: {e}")))?;
    let options = settings.get_options().unwrap_or_default().to_owned();
    settings.options(format!("-c plan_cache_mode=force_generic_plan {options}").trim());
    settings.application_name("noren");
    let manager = Manager::from_config(
        settings,
        tokio_postgres::NoTls,
        ManagerConfig { recycling_method: RecyclingMethod::Fast },
    );
    let patience = Some(Duration::from_secs(10));
    Pool::builder(manager)
        .max_size(config.connections.max(2) * 2)
        .timeouts(Timeouts { wait: patience, create: patience, recycle: patience })
        .runtime(Runtime::Tokio1)
        .build()
        .map_err(|e| Error::internal(e.to_string()))
}

/// One connection, lent. In a transaction it is closed when dropped: the server rolls back.
pub(super) struct Lease {
    client: Option<Object>,
    open: bool,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.open {
            drop(self.client.take().map(Object::take));
        }
    }
}

impl Lease {
    pub(super) async fn of(pool: &Pool) -> Result<Self> {
        match pool.get().await {
            Ok(client) => Ok(Self { client: Some(client), open: false }),
            Err(PoolError::Timeout(_)) => Err(Error::Busy(Duration::from_secs(1))),
            Err(e) => Err(Error::Internal(anyhow::Error::new(e).context("no connection to PostgreSQL"))),
        }
    }

    fn client(&self) -> Result<&Object> {
        self.client.as_ref().ok_or_else(|| Error::internal("a connection used after its end"))
    }

    /// Marked before it is sent: a request cancelled in the middle must not give back a connection that began.
    pub(super) async fn begin(&mut self) -> Result<()> {
        self.open = true;
        self.batch("BEGIN").await
    }

    pub(super) async fn commit(&mut self) -> Result<()> {
        self.batch("COMMIT").await?;
        self.open = false;
        Ok(())
    }

    pub(super) async fn exec(&self, sql: &'static str, params: Params<'_>) -> Result<u64> {
        let (client, forms) = (self.client()?, dialect::forms(sql));
        let statement = client.prepare_cached(fitting(&forms, sql, params)).await?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|p| p.postgres()).collect();
        Ok(planned(client, sql, client.execute(&statement, &params)).await?)
    }

    pub(super) async fn all<T: Row>(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<T>> {
        let (client, forms) = (self.client()?, dialect::forms(sql));
        let statement = client.prepare_cached(fitting(&forms, sql, params)).await?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|p| p.postgres()).collect();
        let rows = planned(client, sql, client.query(&statement, &params)).await?;
        Ok(rows.iter().map(T::from_postgres).collect::<Result<_, _>>()?)
    }

    pub(super) async fn batch(&self, sql: &str) -> Result<()> {
        Ok(self.client()?.batch_execute(sql).await?)
    }

    pub(super) async fn prepare(&self, sql: &'static str) -> Result<()> {
        self.client()?.prepare_cached(sql).await?;
        if let Some(one) = &dialect::forms(sql).postgres_one {
            self.client()?.prepare_cached(one).await?;
        }
        Ok(())
    }
}

/// The statement in the form that fits its values.
fn fitting<'a>(forms: &'a Forms, sql: &'static str, params: Params<'_>) -> &'a str {
    let is_one = |list: &usize| params.get(*list).is_some_and(|param| params::is_one(*param));
    match &forms.postgres_one {
        Some(one) if forms.lists.iter().all(is_one) => one,
        _ => sql,
    }
}

/// Runs a statement with the plan that suits it. The settings around such a statement travel with it, and nobody waits for them;
/// what else is sent meanwhile is planned anew, too. A request that is dropped in between leaves a connection that plans
/// more than it need, until the next of them.
async fn planned<T>(
    client: &Object,
    sql: &str,
    work: impl Future<Output = Result<T, tokio_postgres::Error>>,
) -> Result<T, tokio_postgres::Error> {
    if !planned_anew(sql) {
        return work.await;
    }
    let before = client.batch_execute("SET plan_cache_mode = force_custom_plan");
    let after = client.batch_execute("SET plan_cache_mode = force_generic_plan");
    // Polled, and so sent, in this order; the last one also when the work fails. What becomes of the settings does not
    // matter to whoever asked.
    let (_, done, _) = join!(before, work, after);
    done
}

fn planned_anew(sql: &str) -> bool {
    let swells = || !sql.starts_with("INSERT") && sql.contains(SWELLING);
    sql.contains("LIMIT $") || swells()
}
