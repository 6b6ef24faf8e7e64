//! Tables of what real texts must give, and properties that hold for any text.

mod entities;
mod html;
mod markdown;
mod mfm;
mod props;
mod sanitise;
mod search;
mod urls;
