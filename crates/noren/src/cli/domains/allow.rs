//! `noren domains allow` and `disallow`

use super::{Failure, named, output};
use crate::server::Parts;
use anyhow::anyhow;
use domain::domain_blocks::allows;

pub(super) async fn allow(parts: &Parts, domain: &str) -> Result<(), Failure> {
    let allowed = allows::allow(&parts.db, &named(parts, domain)?).await?;
    output::line(format_args!("{} is allowed", allowed.domain));
    remind(parts);
    Ok(())
}

pub(super) async fn disallow(parts: &Parts, domain: &str) -> Result<(), Failure> {
    match allows::disallow(&parts.db, domain).await {
        Err(domain::Error::NotFound) => return Err(anyhow!("{domain} was not allowed").into()),
        done => done?,
    }
    output::line(format_args!("{domain} is not allowed any more"));
    remind(parts);
    Ok(())
}

fn remind(parts: &Parts) {
    if !parts.config.federation.limited {
        output::note("This means nothing until federation.limited is set.");
    }
}
