//! What the uploader says about a picture: its description and its focal point.

use super::Attachment;
use crate::{Error, Result, site::Limits};

/// Changes to description and focal point, checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// None leaves it as it is; an empty one takes it away.
    description: Option<String>,
    focus: Option<(f64, f64)>,
}

impl Details {
    /// Reads what a client sent; what was not sent is left as it is.
    /// [`Error::Invalid`] for a description over the limit and for a focal point that is none.
    pub fn read(limits: &Limits, description: Option<&str>, focus: Option<&str>) -> Result<Self> {
        let description = description.map(str::trim);
        let max = limits.media_description_characters;
        if description.is_some_and(|text| text.chars().count() > max) {
            return Err(Error::invalid("Description", format!("is too long (maximum is {max} characters)")));
        }
        let focus = match focus.map(str::trim) {
            None | Some("") => None,
            Some(text) => Some(self::focus(text)?),
        };
        Ok(Self { description: description.map(str::to_owned), focus })
    }

    pub(super) fn put_into(self, row: &mut Attachment) {
        if let Some(description) = self.description {
            row.description = Some(description).filter(|text| !text.is_empty());
        }
        if let Some((x, y)) = self.focus {
            (row.focus_x, row.focus_y) = (Some(x), Some(y));
        }
    }
}

/// A focal point, `x,y`: from -1 (left, bottom) to 1 (right, top); what is beyond is brought to the edge.
/// <https://docs.joinmastodon.org/api/guidelines/#focal-points>
pub fn focus(text: &str) -> Result<(f64, f64)> {
    let number = |text: &str| text.trim().parse().ok().filter(|n: &f64| n.is_finite()).map(|n| n.clamp(-1.0, 1.0));
    let point = text.split_once(',').and_then(|(x, y)| Some((number(x)?, number(y)?)));
    point.ok_or_else(|| Error::invalid("Focus", "must be two numbers from -1 to 1 with a comma between them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn focal_points() {
        for (text, point) in [
            ("0,0", (0.0, 0.0)),
            ("-0.5, 1", (-0.5, 1.0)),
            ("0.37,-0.911", (0.37, -0.911)),
            ("1.0000001,-7", (1.0, -1.0)),
            ("1e-3,.5", (0.001, 0.5)),
        ] {
            assert_eq!(focus(text).unwrap(), point, "{text}");
        }
        for text in ["", "1", "1,", ",1", "a,b", "1,2,3", "NaN,0", "inf,0", "0;0"] {
            assert!(matches!(focus(text), Err(Error::Invalid { field: "Focus", .. })), "{text}");
        }
    }

    #[test]
    fn descriptions_are_counted_in_characters() {
        let limits = Limits::default();
        let full = "絵".repeat(1500);
        let details = Details::read(&limits, Some(&format!(" {full}\n")), Some("")).unwrap();
        assert_eq!(details, Details { description: Some(full.clone()), focus: None });
        let refused = Details::read(&limits, Some(&(full + "x")), None).unwrap_err();
        assert_eq!(refused.to_string(), "Description is too long (maximum is 1500 characters)");
        assert_eq!(Details::read(&limits, None, None).unwrap(), Details::default());
    }
}
