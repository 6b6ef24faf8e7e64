//! Previews of the pages that posts link to, as they are when a server has run for a while.

use crate::World;
use domain::cards::{self, Card};
use domain::db::Texts;
use domain::jobs::{self, Job, Outcome, Queue};
use std::time::Duration;

/// Jobs that are done between two looks.
const AT_ONCE: i64 = 200;
/// After this all of them are due.
const PATIENCE: Duration = Duration::from_secs(3);

/// Gives each link its preview, in the place of the jobs that would fetch them over the network.
pub async fn write(world: &World) -> anyhow::Result<()> {
    tokio::time::sleep(PATIENCE).await;
    loop {
        let claimed = jobs::claim(&world.db, Queue::Pull, AT_ONCE, &Texts(Vec::new())).await?;
        if claimed.is_empty() {
            return Ok(());
        }
        for job in &claimed {
            if let Some(Job::FetchCard { card }) = job.job {
                cards::arrived(&world.db, card, Some(preview(card.0))).await?;
            }
            jobs::finish(&world.db, job, Outcome::Done).await?;
        }
    }
}

fn preview(number: i64) -> Card {
    Card {
        url: format!("https://example.com/page/{number}"),
        title: format!("Page {number}: what the paper says about the river in spring"),
        description:
            "The water stands higher than in other years, and those who live beside it have begun to move what \
            they keep in their cellars. A walk along the banks, with pictures of the boats and of the old bridge."
                .into(),
        language: Some("en".into()),
        provider_name: "The Paper".into(),
        width: 1200,
        height: 630,
        image: Some(format!("https://example.com/page/{number}.png")),
        ..Card::default()
    }
}
