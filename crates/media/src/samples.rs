//! Pictures for tests, made here.

use image::codecs::gif::GifEncoder;
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, ExtendedColorType, Frame, ImageFormat, Rgb, RgbImage, RgbaImage};
use std::io::Cursor;

/// Stands in every kind of metadata and must be in no output.
pub(crate) const SECRET: &[u8] = b"GPS 35.6586N 139.7454E";

pub(crate) const RED: [u8; 3] = [220, 30, 30];
pub(crate) const GREEN: [u8; 3] = [30, 200, 30];
pub(crate) const BLUE: [u8; 3] = [30, 30, 220];
pub(crate) const WHITE: [u8; 3] = [230, 230, 230];

/// Top left red, top right green, bottom left blue, bottom right white.
pub(crate) fn quarters(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => RED,
            (false, true) => GREEN,
            (true, false) => BLUE,
            (false, false) => WHITE,
        })
    })
}

/// The same with a hole in its bottom right quarter.
pub(crate) fn holed(width: u32, height: u32) -> RgbaImage {
    let mut image = DynamicImage::from(quarters(width, height)).into_rgba8();
    for (x, y, pixel) in image.enumerate_pixels_mut() {
        pixel.0[3] = if x >= width / 2 && y >= height / 2 { 0 } else { 255 };
    }
    image
}

pub(crate) fn jpeg(image: &RgbImage) -> Vec<u8> {
    let mut out = Vec::new();
    let (width, height) = image.dimensions();
    let encoder = jpeg_encoder::Encoder::new(&mut out, 90);
    encoder.encode(image, width as u16, height as u16, jpeg_encoder::ColorType::Rgb).unwrap();
    out
}

pub(crate) fn progressive_jpeg(image: &RgbImage) -> Vec<u8> {
    let mut out = Vec::new();
    let (width, height) = image.dimensions();
    let mut encoder = jpeg_encoder::Encoder::new(&mut out, 90);
    encoder.set_progressive(true);
    encoder.encode(image, width as u16, height as u16, jpeg_encoder::ColorType::Rgb).unwrap();
    out
}

pub(crate) fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    image.into().write_to(&mut out, ImageFormat::Png).unwrap();
    out.into_inner()
}

pub(crate) fn webp(image: &RgbaImage) -> Vec<u8> {
    let mut out = Vec::new();
    let (width, height) = image.dimensions();
    WebPEncoder::new_lossless(&mut out).encode(image, width, height, ExtendedColorType::Rgba8).unwrap();
    out
}

pub(crate) fn gif(image: &RgbaImage, frames: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = GifEncoder::new(&mut out);
    encoder.set_repeat(image::codecs::gif::Repeat::Infinite).unwrap();
    encoder.encode_frames(std::iter::repeat_n(Frame::new(image.clone()), frames)).unwrap();
    drop(encoder);
    out
}

/// Big-endian TIFF with an orientation and a description.
pub(crate) fn exif(orientation: u8) -> Vec<u8> {
    let mut out = b"MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    out.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    out.extend([0x01, 0x0E, 0, 2, 0, 0, 0, SECRET.len() as u8, 0, 0, 0, 38]);
    out.extend([0, 0, 0, 0]);
    out.extend(SECRET);
    out
}

/// With EXIF, XMP, a comment, a thumbnail in the JFIF header, a colour profile, and something after the end.
pub(crate) fn jpeg_with_metadata(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut out = vec![0xFF, 0xD8];
    let mut segment = |marker: u8, body: &[u8]| {
        out.extend([0xFF, marker]);
        out.extend(((body.len() + 2) as u16).to_be_bytes());
        out.extend(body);
    };
    segment(0xE0, &[b"JFIF\0\x01\x02\x01\0\x48\0\x48".as_slice(), &[1, 7], SECRET].concat());
    segment(0xE1, &[b"Exif\0\0".as_slice(), &exif(orientation)].concat());
    segment(0xE1, &[b"http://ns.adobe.com/xap/1.0/\0".as_slice(), SECRET].concat());
    segment(0xE2, &[b"MPF\0".as_slice(), SECRET].concat());
    segment(0xE2, &[b"ICC_PROFILE\0\x01\x01".as_slice(), &icc()].concat());
    segment(0xED, SECRET);
    segment(0xFE, SECRET);
    // The encoder's own JFIF header goes too.
    out.extend(&jpeg[20..]);
    out.extend(SECRET);
    out
}

/// Enough of a profile to be kept.
pub(crate) fn icc() -> Vec<u8> {
    let mut out = vec![0; 132];
    out[16..20].copy_from_slice(b"RGB ");
    out[36..40].copy_from_slice(b"acsp");
    out
}

pub(crate) fn png_chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let checked = [name.as_slice(), body].concat();
    let crc = checked.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    [(body.len() as u32).to_be_bytes().as_slice(), &checked, &(!crc).to_be_bytes()].concat()
}

/// Chunks put behind the header.
pub(crate) fn png_with(png: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    let mut out = png[..33].to_vec();
    out.extend(chunks.concat());
    out.extend(&png[33..]);
    out
}

pub(crate) fn png_with_metadata(png: &[u8], orientation: u8) -> Vec<u8> {
    let text = [b"Comment\0".as_slice(), SECRET].concat();
    let chunks = [
        png_chunk(b"gAMA", &45455u32.to_be_bytes()),
        png_chunk(b"tEXt", &text),
        png_chunk(b"eXIf", &exif(orientation)),
        png_chunk(b"tIME", &[7, 0xE8, 1, 1, 1, 1, 1]),
        png_chunk(b"prVt", SECRET),
    ];
    [png_with(png, &chunks), SECRET.to_vec()].concat()
}

pub(crate) fn apng(image: &RgbaImage, frames: u32) -> Vec<u8> {
    let (width, height) = image.dimensions();
    let control = |sequence: u32| {
        let numbers = [sequence, width, height, 0, 0];
        let mut body: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        body.extend([0, 1, 0, 10, 0, 0]);
        png_chunk(b"fcTL", &body)
    };
    let count = [frames.to_be_bytes(), 0u32.to_be_bytes()].concat();
    let still = png(image.clone());
    let pixels = still.windows(4).position(|window| window == b"IDAT").unwrap();
    let length = u32::from_be_bytes(still[pixels - 4..pixels].try_into().unwrap()) as usize;
    let data = still[pixels + 4..pixels + 4 + length].to_vec();
    let mut chunks = vec![png_chunk(b"acTL", &count), control(0)];
    chunks.push(still[33..still.len() - 12].to_vec());
    for frame in 1..frames {
        chunks.push(control(frame * 2 - 1));
        chunks.push(png_chunk(b"fdAT", &[(frame * 2).to_be_bytes().as_slice(), &data].concat()));
    }
    [&still[..33], &chunks.concat(), &still[still.len() - 12..]].concat()
}

fn riff_chunk(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut out = [name.as_slice(), &(body.len() as u32).to_le_bytes(), body].concat();
    out.resize(out.len().next_multiple_of(2), 0);
    out
}

fn riff(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    [b"RIFF".as_slice(), &(body.len() as u32 + 4).to_le_bytes(), b"WEBP", &body].concat()
}

fn extended(flags: u8, (width, height): (u32, u32)) -> Vec<u8> {
    let mut body = vec![flags, 0, 0, 0];
    for side in [width, height] {
        body.extend(&(side - 1).to_le_bytes()[..3]);
    }
    riff_chunk(b"VP8X", &body)
}

pub(crate) fn webp_with_metadata(image: &RgbaImage, orientation: u8) -> Vec<u8> {
    let still = webp(image);
    let all = [
        extended(0x10 | 0x08 | 0x04, image.dimensions()),
        still[12..].to_vec(),
        riff_chunk(b"EXIF", &exif(orientation)),
        riff_chunk(b"XMP ", SECRET),
        riff_chunk(b"prVt", SECRET),
    ];
    [riff(&all), SECRET.to_vec()].concat()
}

pub(crate) fn animated_webp(image: &RgbaImage, frames: usize) -> Vec<u8> {
    let (width, height) = image.dimensions();
    let mut frame = vec![0; 6];
    for side in [width - 1, height - 1, 100] {
        frame.extend(&side.to_le_bytes()[..3]);
    }
    frame.push(0);
    frame.extend(&webp(image)[12..]);
    let mut chunks = vec![extended(0x10 | 0x02, (width, height)), riff_chunk(b"ANIM", &[0; 6])];
    chunks.extend(std::iter::repeat_n(riff_chunk(b"ANMF", &frame), frames));
    riff(&chunks)
}

pub(crate) fn gif_with_metadata(gif: &[u8]) -> Vec<u8> {
    let table = match gif[10] & 0x80 {
        0 => 0,
        _ => 3 << ((gif[10] & 7) + 1),
    };
    let (head, tail) = gif.split_at(13 + table);
    let comment = [b"\x21\xFE".as_slice(), &[SECRET.len() as u8], SECRET, &[0]].concat();
    let xmp = [b"\x21\xFF\x0bXMP DataXMP".as_slice(), &[SECRET.len() as u8], SECRET, &[0]].concat();
    [head, &comment, &xmp, tail, SECRET].concat()
}

pub(crate) fn has_secret(data: &[u8]) -> bool {
    data.windows(SECRET.len()).any(|window| window == SECRET)
}
