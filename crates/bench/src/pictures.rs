//! Pictures about as hard to compress as photographs, processed as the server does it, and attachments that show them.
//! Many attachments share a few files by hard links: what is served and shown is the same, the disk stays small.

use crate::World;
use ::media::keys::{self, Kind, Origin, Style};
use ::media::{Limits, Processed, process};
use anyhow::{Context as _, ensure};
use domain::ids::{self, AccountId, MediaId};
use domain::media::{self, Details, Shape, Small, Versions};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use std::fs;
use std::path::{Path, PathBuf};

const WIDTH: usize = 1600;
const HEIGHT: usize = 1200;
/// What the pictures are cut from, so that noise is computed once.
const FIELD: (usize, usize) = (2112, 1552);
const OCTAVES: u8 = 8;

/// Bytes of a photograph, and of the file that the row for stored media asks for.
pub const PHOTOGRAPH: usize = 393_000;
pub const STORED: usize = 204_000;

/// A processed picture whose files lie in the folder of samples.
pub struct Print {
    original: PathBuf,
    small: PathBuf,
    shape: Shape,
    small_shape: Shape,
    pub bytes: u64,
    blurhash: String,
}

/// Makes one picture for each of `sizes` (bytes) in `folder`: `sample-N.jpg` to upload, and the versions to show.
pub fn album(folder: &Path, sizes: &[usize]) -> anyhow::Result<Vec<Print>> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let field = field();
    sizes.iter().enumerate().map(|(number, bytes)| print(folder, (number, *bytes), &field)).collect()
}

fn print(folder: &Path, (number, bytes): (usize, usize), field: &[[f32; 3]]) -> anyhow::Result<Print> {
    let corner = (number * 83 % (FIELD.0 - WIDTH), number * 59 % (FIELD.1 - HEIGHT));
    let sample = folder.join(format!("sample-{number}.jpg"));
    fs::write(&sample, jpeg(&cut(field, corner), bytes)?)?;
    let Processed { original, small, blurhash, .. } = process(&sample, &Limits::default())?;
    let place = |style: Style| folder.join(format!("shown-{number}-{}.jpg", style.as_str()));
    fs::write(place(Style::Original), original.content.read()?)?;
    fs::write(place(Style::Small), small.content.read()?)?;
    Ok(Print {
        original: place(Style::Original),
        small: place(Style::Small),
        shape: Shape { width: original.size.width, height: original.size.height },
        small_shape: Shape { width: small.size.width, height: small.size.height },
        bytes: original.bytes,
        blurhash,
    })
}

/// An attachment of `owner` and the store key of its original.
pub async fn attach(world: &World, owner: AccountId, print: &Print) -> anyhow::Result<(MediaId, String)> {
    let id: MediaId = ids::next();
    let name = keys::file_name("jpg");
    let original = place(world, (Kind::Attachment, id.0), (Style::Original, &name), &print.original)?;
    let small = place(world, (Kind::Attachment, id.0), (Style::Small, &name), &print.small)?;
    let versions = Versions {
        original: original.clone(),
        shape: print.shape,
        content_type: "image/jpeg".into(),
        size: i64::try_from(print.bytes)?,
        small: Small { key: small, shape: print.small_shape, blurhash: print.blurhash.clone() },
    };
    let described = id.0 % 2 == 0;
    let text = described.then_some("Soft clouds of colour, made for measuring: nothing in particular can be seen.");
    let details = Details::read(&world.site.limits, text, None)?;
    media::create(&world.db, media::New { id, owner, details, thumbnail: None }, versions).await?;
    Ok((id, original))
}

/// The store key of a profile's picture of `owner`.
pub fn portrait(world: &World, (kind, owner): (Kind, AccountId), print: &Print) -> anyhow::Result<String> {
    place(world, (kind, owner.0), (Style::Original, &keys::file_name("jpg")), &print.small)
}

/// Puts a file into the store under a key of its own.
fn place(world: &World, (kind, id): (Kind, i64), (style, name): (Style, &str), file: &Path) -> anyhow::Result<String> {
    let key = keys::key((Origin::Local, kind), id, style, name).context("a key")?;
    let path = world.media.join(key.as_str());
    fs::create_dir_all(path.parent().context("a folder")?)?;
    fs::hard_link(file, &path).or_else(|_| fs::copy(file, &path).map(drop))?;
    Ok(key.to_string())
}

/// The encoding whose length is closest to `bytes`.
fn jpeg(pixels: &[u8], bytes: usize) -> anyhow::Result<Vec<u8>> {
    let (mut low, mut high) = (20u8, 97u8);
    let mut best: Vec<u8> = Vec::new();
    while low <= high {
        let quality = low + (high - low) / 2;
        let mut data = Vec::new();
        let mut encoder = Encoder::new(&mut data, quality);
        encoder.set_sampling_factor(SamplingFactor::R_4_2_0);
        encoder.encode(pixels, u16::try_from(WIDTH)?, u16::try_from(HEIGHT)?, ColorType::Rgb)?;
        if data.len() < bytes {
            low = quality + 1;
        } else {
            high = quality - 1;
        }
        if best.is_empty() || data.len().abs_diff(bytes) < best.len().abs_diff(bytes) {
            best = data;
        }
    }
    ensure!(best.len().abs_diff(bytes) < bytes / 10, "a picture of {} bytes instead of {bytes}", best.len());
    Ok(best)
}

fn cut(field: &[[f32; 3]], (left, top): (usize, usize)) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(WIDTH * HEIGHT * 3);
    for row in field.chunks_exact(FIELD.0).skip(top).take(HEIGHT) {
        for pixel in row.iter().skip(left).take(WIDTH) {
            pixels.extend(pixel.map(|value| (value * 200.0).clamp(0.0, 255.0) as u8));
        }
    }
    pixels
}

/// Several octaves of smooth noise in three channels.
fn field() -> Vec<[f32; 3]> {
    let mut out = vec![[0.0; 3]; FIELD.0 * FIELD.1];
    for octave in 0..OCTAVES {
        let (scale, weight) = (256.0 / f32::from(1u16 << octave), 0.5 * 0.62f32.powi(octave.into()));
        for (y, row) in out.chunks_exact_mut(FIELD.0).enumerate() {
            for (x, pixel) in row.iter_mut().enumerate() {
                let place = (x as f32 / scale, y as f32 / scale);
                for (channel, value) in pixel.iter_mut().enumerate() {
                    *value += weight * noise(place, u32::from(octave) * 8 + channel as u32);
                }
            }
        }
    }
    out
}

/// Between 0 and 1, smooth from one whole number to the next.
fn noise((x, y): (f32, f32), layer: u32) -> f32 {
    let (column, row) = (x as u32, y as u32);
    let (right, down) = (x.fract(), y.fract());
    let top = corner(column, row, layer) * (1.0 - right) + corner(column + 1, row, layer) * right;
    let bottom = corner(column, row + 1, layer) * (1.0 - right) + corner(column + 1, row + 1, layer) * right;
    top * (1.0 - down) + bottom * down
}

fn corner(column: u32, row: u32, layer: u32) -> f32 {
    let seed = column.wrapping_mul(374_761_393).wrapping_add(row.wrapping_mul(668_265_263));
    let seed = (seed ^ layer).wrapping_mul(1_274_126_177);
    let mixed = (seed ^ (seed >> 15)).wrapping_mul(2_246_822_519);
    (mixed >> 16) as f32 / 65_535.0
}
