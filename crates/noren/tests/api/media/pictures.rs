//! Pictures as cameras and attackers make them.

use image::codecs::gif::{GifEncoder, Repeat};
use image::{DynamicImage, Frame, ImageFormat, Rgb, RgbImage};
use std::io::Cursor;

/// Stands in the metadata and must never be shown.
pub(super) const SECRET: &[u8] = b"N 35 39 31 E 139 44 43";

/// Red, green, blue and white.
pub(super) fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => [220, 30, 30],
            (false, true) => [30, 200, 30],
            (true, false) => [30, 30, 220],
            (false, false) => [230, 230, 230],
        })
    })
}

pub(super) fn jpeg(image: &RgbImage) -> Vec<u8> {
    let mut out = Vec::new();
    let (width, height) = (image.width() as u16, image.height() as u16);
    let encoder = jpeg_encoder::Encoder::new(&mut out, 90);
    encoder.encode(image, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    out
}

/// As from a camera that was held upright: to be turned to the right, with a place in its EXIF.
pub(super) fn jpeg_turned(image: &RgbImage) -> Vec<u8> {
    let plain = jpeg(image);
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0]);
    // The place: a table of its own, of which only the text matters here.
    tiff.extend([0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38, 0, 0, 0, 0]);
    tiff.extend([0, 1, 0, 1, 0, 2, 0, 0, 0, SECRET.len() as u8, 0, 0, 0, 56, 0, 0, 0, 0]);
    tiff.extend(SECRET);
    let body = [b"Exif\0\0".as_slice(), &tiff].concat();
    let length = (body.len() as u16 + 2).to_be_bytes();
    [&plain[..2], &[0xFF, 0xE1], &length, &body, &plain[2..]].concat()
}

fn written(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// With a hole.
fn holed(width: u32, height: u32) -> DynamicImage {
    let mut image = DynamicImage::from(quarters(width, height)).into_rgba8();
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        pixel.0[3] = if x >= width / 2 && y >= height / 2 { 0 } else { 255 };
    }
    image.into()
}

pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    written(&holed(width, height), ImageFormat::Png)
}

pub(super) fn webp(width: u32, height: u32) -> Vec<u8> {
    written(&holed(width, height), ImageFormat::WebP)
}

pub(super) fn moving_gif(width: u32, height: u32) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = GifEncoder::new(&mut out);
    encoder.set_repeat(Repeat::Infinite).unwrap();
    let frame = Frame::new(holed(width, height).into_rgba8());
    encoder.encode_frames(std::iter::repeat_n(frame, 3)).unwrap();
    drop(encoder);
    out
}

fn chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let checked = [name.as_slice(), body].concat();
    let crc = checked.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    [(body.len() as u32).to_be_bytes().as_slice(), &checked, &(!crc).to_be_bytes()].concat()
}

fn png_of(width: u32, height: u32, pixels: &[u8]) -> Vec<u8> {
    let head = [width.to_be_bytes().as_slice(), &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let signature = b"\x89PNG\r\n\x1a\n".to_vec();
    [signature, chunk(b"IHDR", &head), chunk(b"IDAT", pixels), chunk(b"IEND", &[])].concat()
}

/// A few bytes that claim to be very large.
pub(super) fn bomb(width: u32, height: u32) -> Vec<u8> {
    png_of(width, height, &[0x78, 0x9c, 0x03, 0, 0, 0, 0, 1])
}

/// In good order but for its pixels.
pub(super) fn broken_png(width: u32, height: u32) -> Vec<u8> {
    png_of(width, height, b"these are no pixels")
}
