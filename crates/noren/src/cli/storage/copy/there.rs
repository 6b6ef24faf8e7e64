//! What lies in the bucket already, asked for in the order of names: a page of a listing tells a thousand at once.

use super::compare::There;
use media::s3::{Bucket, Found, Next, Result, Scope};
use std::collections::VecDeque;

pub(super) struct Listing<'a> {
    bucket: &'a Bucket,
    scope: Scope,
    page: VecDeque<Found>,
    next: Option<Next>,
    ended: bool,
    last: String,
    asked: String,
    /// Some servers list in an order of their own: then each object is asked for by itself.
    is_ordered: bool,
}

impl<'a> Listing<'a> {
    /// Of what begins so.
    pub(super) fn of(bucket: &'a Bucket, prefix: &str) -> Listing<'a> {
        let scope = Scope { prefix: prefix.to_owned(), limit: 1000, ..Scope::default() };
        let (page, last, asked) = (VecDeque::new(), String::new(), String::new());
        Listing { bucket, scope, page, next: None, ended: false, last, asked, is_ordered: true }
    }

    /// Keys are best asked for in their order: a page tells a thousand.
    pub(super) async fn find(&mut self, key: &str) -> Result<Option<There>> {
        self.is_ordered &= self.asked.as_str() <= key;
        key.clone_into(&mut self.asked);
        while self.is_ordered {
            while self.page.front().is_some_and(|found| found.key.as_str() < key) {
                self.page.pop_front();
            }
            match self.page.front() {
                Some(found) if found.key == key => {
                    return Ok(self.page.pop_front().map(There::from));
                }
                Some(_) => return Ok(None),
                None if self.ended => return Ok(None),
                None => self.turn().await?,
            }
        }
        Ok(self.bucket.head(key).await?.map(There::from))
    }

    /// The next page.
    async fn turn(&mut self) -> Result<()> {
        let page = self.bucket.list(&self.scope, self.next.as_ref()).await?;
        self.ended = page.next.is_none();
        self.next = page.next;
        for found in page.objects {
            self.is_ordered &= self.last < found.key;
            self.last.clone_from(&found.key);
            self.page.push_back(found);
        }
        Ok(())
    }
}
