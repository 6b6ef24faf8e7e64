//! Decoded pixels: resizing, turning, encoding.

use crate::{Fault, Format, Size};
use ::image::codecs::png::{CompressionType, FilterType as PngFilter, PngEncoder};
use ::image::metadata::Orientation;
use ::image::{DynamicImage, ExtendedColorType, ImageEncoder, RgbImage, RgbaImage};
use fast_image_resize as resize;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

type Result<T> = std::result::Result<T, Fault>;

/// Longest side of what a blurhash is computed from.
const BLURHASH_SIDE: u32 = 64;
/// Colour profiles of phones and screens have a few hundred bytes to a few thousand.
const MAX_ICC: usize = 16 * 1024;

/// How finely a JPEG keeps colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chroma {
    /// Every pixel: for drawings.
    Full,
    /// Every second pixel of every second line: for photographs.
    Halved,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    Rgb,
    Rgba,
}

/// Rows of 8-bit RGB or RGBA pixels.
#[derive(Debug, Clone)]
pub(crate) struct Bitmap {
    pub(crate) size: Size,
    pub(crate) layout: Layout,
    data: Vec<u8>,
    icc: Option<Vec<u8>>,
}

impl Bitmap {
    /// `data` has to be as long as size and layout say. Alpha that hides nothing is dropped.
    pub(super) fn new(size: Size, layout: Layout, data: Vec<u8>) -> Result<Bitmap> {
        let expected = size.area() * layout.channels() as u64;
        if data.len() as u64 != expected {
            return Err(Fault::broken("it cannot be decoded"));
        }
        let bitmap = Bitmap { size, layout, data, icc: None };
        let is_opaque = bitmap.layout == Layout::Rgba && bitmap.data.chunks_exact(4).all(|pixel| pixel[3] == 255);
        Ok(if is_opaque { bitmap.without_alpha() } else { bitmap })
    }

    /// Keeps a profile for the pictures that are encoded from here; only RGB ones fit them.
    pub(super) fn with_icc(mut self, icc: Option<Vec<u8>>) -> Bitmap {
        let fits = |icc: &Vec<u8>| icc.len() <= MAX_ICC && icc.get(16..20) == Some(b"RGB ");
        self.icc = icc.filter(fits);
        self
    }

    fn without_alpha(mut self) -> Bitmap {
        let pixels = self.data.len() / 4;
        for pixel in 0..pixels {
            self.data.copy_within(pixel * 4..pixel * 4 + 3, pixel * 3);
        }
        self.data.truncate(pixels * 3);
        self.layout = Layout::Rgb;
        self
    }

    /// The whole picture brought to `size`.
    pub(crate) fn resized(&self, size: Size) -> Result<Bitmap> {
        self.resized_with(size, resize::FilterType::Lanczos3)
    }

    /// The middle of the picture, cut to the shape of `target` and brought down to it; never enlarged.
    pub(crate) fn covering(&self, target: Size) -> Result<Bitmap> {
        let (width, height) = (f64::from(self.size.width), f64::from(self.size.height));
        let scale = (width / f64::from(target.width)).min(height / f64::from(target.height)).min(1.0);
        let side = |length: u32| ((f64::from(length) * scale).round() as u32).max(1);
        self.resized_with(Size { width: side(target.width), height: side(target.height) }, resize::FilterType::Lanczos3)
    }

    fn resized_with(&self, size: Size, filter: resize::FilterType) -> Result<Bitmap> {
        if size == self.size {
            return Ok(self.clone());
        }
        let failed = |_| Fault::broken("it cannot be resized");
        let kind = self.layout.pixel_type();
        let source = resize::images::ImageRef::new(self.size.width, self.size.height, &self.data, kind);
        let source = source.map_err(|_| Fault::broken("it cannot be resized"))?;
        let mut target = resize::images::Image::new(size.width, size.height, kind);
        let options = resize::ResizeOptions::new()
            .resize_alg(resize::ResizeAlg::Convolution(filter))
            .use_alpha(self.layout == Layout::Rgba)
            .fit_into_destination(None);
        resize::Resizer::new().resize(&source, &mut target, &options).map_err(failed)?;
        Ok(Bitmap { size, layout: self.layout, data: target.into_vec(), icc: self.icc.clone() })
    }

    /// Turns and mirrors the pixels.
    pub(crate) fn turn(&mut self, orientation: Orientation) {
        if orientation == Orientation::NoTransforms {
            return;
        }
        let Size { width, height } = self.size;
        let data = std::mem::take(&mut self.data);
        let image = match self.layout {
            Layout::Rgb => RgbImage::from_raw(width, height, data).map(DynamicImage::from),
            Layout::Rgba => RgbaImage::from_raw(width, height, data).map(DynamicImage::from),
        };
        let mut image = image.unwrap_or_default();
        image.apply_orientation(orientation);
        self.size = Size { width: image.width(), height: image.height() };
        self.data = image.into_bytes();
    }

    /// A JPEG, or a PNG when something is transparent.
    pub(crate) fn encoded(&self, quality: u8, chroma: Chroma) -> Result<(Vec<u8>, Format)> {
        match self.layout {
            Layout::Rgb => self.jpeg(quality, chroma).map(|bytes| (bytes, Format::Jpeg)),
            Layout::Rgba => self.png().map(|bytes| (bytes, Format::Png)),
        }
    }

    fn jpeg(&self, quality: u8, chroma: Chroma) -> Result<Vec<u8>> {
        let failed = |_| Fault::broken("it cannot be encoded");
        let side = |length: u32| u16::try_from(length).map_err(|_| Fault::broken("it cannot be encoded"));
        let (width, height) = (side(self.size.width)?, side(self.size.height)?);
        let mut out = Vec::with_capacity(self.data.len() / 16);
        let mut encoder = Encoder::new(&mut out, quality);
        encoder.set_optimized_huffman_tables(true);
        encoder.set_sampling_factor(match chroma {
            Chroma::Full => SamplingFactor::R_4_4_4,
            Chroma::Halved => SamplingFactor::R_4_2_0,
        });
        if let Some(icc) = &self.icc {
            encoder.add_icc_profile(icc).map_err(failed)?;
        }
        encoder.encode(&self.data, width, height, ColorType::Rgb).map_err(failed)?;
        Ok(out)
    }

    /// A PNG, lossless.
    pub(crate) fn png(&self) -> Result<Vec<u8>> {
        let failed = |_| Fault::broken("it cannot be encoded");
        let mut out = Vec::with_capacity(self.data.len() / 4);
        let mut encoder = PngEncoder::new_with_quality(&mut out, CompressionType::Fast, PngFilter::Adaptive);
        if let Some(icc) = &self.icc {
            encoder.set_icc_profile(icc.clone()).map_err(|_| Fault::broken("it cannot be encoded"))?;
        }
        let colours = match self.layout {
            Layout::Rgb => ExtendedColorType::Rgb8,
            Layout::Rgba => ExtendedColorType::Rgba8,
        };
        encoder.write_image(&self.data, self.size.width, self.size.height, colours).map_err(failed)?;
        Ok(out)
    }

    /// 4 × 4 components, from a small reduction.
    pub(crate) fn blurhash(&self) -> Result<String> {
        let Size { width, height } = self.size;
        let longest = width.max(height).max(BLURHASH_SIDE);
        let side = |length: u32| (length * BLURHASH_SIDE / longest).max(1);
        let size = Size { width: side(width), height: side(height) };
        let tiny = self.resized_with(size, resize::FilterType::Box)?;
        let rgba = match tiny.layout {
            Layout::Rgba => tiny.data,
            Layout::Rgb => tiny.data.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect(),
        };
        let failed = |_| Fault::broken("it has no blurhash");
        blurhash::encode(4, 4, size.width, size.height, &rgba).map_err(failed)
    }
}

impl Layout {
    fn channels(self) -> usize {
        match self {
            Layout::Rgb => 3,
            Layout::Rgba => 4,
        }
    }

    fn pixel_type(self) -> resize::PixelType {
        match self {
            Layout::Rgb => resize::PixelType::U8x3,
            Layout::Rgba => resize::PixelType::U8x4,
        }
    }
}
