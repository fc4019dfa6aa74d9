"""What the pictures page shows: every recipe, with a sentence in both languages. Data only; it makes nothing.

The one list of its kind: the page, the pictures of the documentation and the test that no operation was
forgotten are all made from it. To show a new operation, add a card.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass

from samples import FILM, LOGO, PHOTO, SIDEWAYS


@dataclass(frozen=True, slots=True)
class Card:
    """One recipe over one sample.

    `name` is its place on the page and its picture's file; `operation` is what it shows, as in
    `image/resize`, and '' where several are put together; `answer` is part of the JSON where it answers that.
    """

    name: str
    operation: str
    recipe: str
    zh: str
    en: str
    sample: str = PHOTO
    answer: str = ""

    @property
    def title(self) -> str:
        """The operation's name, or those of all steps where several are put together."""
        steps = self.recipe.replace("|image/", "/").split("/")[1:]
        names = [step.partition(",")[0] for step in steps]
        return self.operation.partition("/")[2] or " → ".join(names)


@dataclass(frozen=True, slots=True)
class Group:
    """Cards that belong together."""

    name: str
    zh: str
    en: str
    cards: tuple[Card, ...]


def encoded(text: str) -> str:
    """Write a text or a key as recipes carry it: URL-safe base64 without padding."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


_SIGN = encoded(LOGO)
_SMALL_SIGN = encoded(f"{LOGO}?x-amz-process=image/resize,P_9")
_NAME = encoded("媒库 meiku")
_SHORT_NAME = encoded("媒库")
_BOX = "image/resize,w_160,h_160"

SIZE = Group(
    "size",
    "尺寸与裁剪",
    "Size and crop",
    (
        Card(
            "resize",
            "image/resize",
            "image/resize,w_160",
            "宽 160 像素，高度按比例。",
            "160 pixels wide; the height follows.",
        ),
        Card(
            "resize-inside",
            "image/resize",
            f"{_BOX},m_lfit",
            "放进 160 × 160 的框，完整可见。",
            "As large as fits into a box of 160 × 160.",
        ),
        Card(
            "resize-around",
            "image/resize",
            f"{_BOX},m_mfit",
            "刚好盖住这个框，仍是完整的图。",
            "As small as covers the box, still the whole picture.",
        ),
        Card(
            "resize-fill",
            "image/resize",
            f"{_BOX},m_fill",
            "填满这个框，多出的部分两边均匀裁掉。",
            "Fills the box; what stands over is cut off evenly.",
        ),
        Card(
            "resize-pad",
            "image/resize",
            f"{_BOX},m_pad,color_E9C46A",
            "放进这个框，空处填上颜色。",
            "Fits into the box; the rest is filled with a colour.",
        ),
        Card(
            "resize-stretch",
            "image/resize",
            f"{_BOX},m_fixed",
            "正好是框的大小，不保持比例。",
            "Exactly the box; the shape is not kept.",
        ),
        Card(
            "resize-longest",
            "image/resize",
            "image/resize,l_120",
            "最长的边 120 像素。",
            "The longest side has 120 pixels.",
        ),
        Card(
            "resize-shortest",
            "image/resize",
            "image/resize,s_120",
            "最短的边 120 像素。",
            "The shortest side has 120 pixels.",
        ),
        Card(
            "resize-percent",
            "image/resize",
            "image/resize,p_20",
            "原图的百分之二十。",
            "Twenty percent of the source.",
        ),
        Card(
            "resize-enlarge",
            "image/resize",
            "image/crop,x_655,y_95,w_90,h_60/resize,w_480,limit_0",
            "limit_0 允许放大；平时不会变得比原图大。",
            "limit_0 lets it grow; otherwise nothing becomes larger than it was.",
        ),
        Card(
            "crop",
            "image/crop",
            "image/crop,x_560,y_40,w_280,h_300",
            "从左上角量起，剪出一个矩形。",
            "A rectangle, measured from the top left.",
        ),
        Card(
            "crop-gravity",
            "image/crop",
            "image/crop,w_320,h_214,g_sw",
            "从西南角的九分之一剪起。",
            "The rectangle lies in the south-west corner.",
        ),
        Card(
            "indexcrop",
            "image/indexcrop",
            "image/indexcrop,x_240,i_2",
            "按 240 像素一条竖切，取第 2 条（从 0 数）。",
            "Sliced every 240 pixels; slice 2, counted from 0.",
        ),
        Card(
            "rotate",
            "image/rotate",
            "image/rotate,90",
            "顺时针转 90 度。",
            "Turned by 90 degrees, clockwise.",
        ),
        Card(
            "rotate-slanted",
            "image/rotate",
            "image/rotate,30/format,webp",
            "转 30 度，空出的角是透明的。",
            "Turned by 30 degrees; the corners can be seen through.",
        ),
        Card(
            "rotate-colour",
            "image/rotate",
            "image/rotate,30,color_E9C46A",
            "转 30 度，空出的角填上颜色。",
            "Turned by 30 degrees; the corners have a colour.",
        ),
        Card(
            "as-stored",
            "image/auto-orient",
            "image/auto-orient,0",
            "相机竖着拿，存下来的图躺着；0 不去动它。",
            "The camera was held upright, the file lies; 0 leaves it so.",
            SIDEWAYS,
        ),
        Card(
            "auto-orient",
            "image/auto-orient",
            "image/auto-orient,1",
            "同一个文件，按 EXIF 里的方向摆正。",
            "The same file, turned upright as its EXIF says.",
            SIDEWAYS,
        ),
    ),
)
SHAPE = Group(
    "shape",
    "形状",
    "Shape",
    (
        Card(
            "circle",
            "image/circle",
            "image/circle,r_320/format,webp",
            "居中的圆，外面是透明的。",
            "The circle around the centre; outside, it can be seen through.",
        ),
        Card(
            "circle-white",
            "image/circle",
            "image/circle,r_200",
            "JPEG 没有透明，圆外是白色。",
            "A JPEG knows no transparency: outside, it is white.",
        ),
        Card(
            "rounded-corners",
            "image/rounded-corners",
            "image/rounded-corners,r_90/format,webp",
            "四个角各倒 90 像素的圆角。",
            "All four corners rounded, with a radius of 90 pixels.",
        ),
    ),
)
COLOUR = Group(
    "colour",
    "颜色与清晰度",
    "Colour and sharpness",
    (
        Card("bright", "image/bright", "image/bright,35", "亮一些。", "Brighter."),
        Card("dark", "image/bright", "image/bright,-35", "暗一些。", "Darker."),
        Card("contrast", "image/contrast", "image/contrast,50", "对比强一些。", "More contrast."),
        Card("pale", "image/contrast", "image/contrast,-50", "对比弱一些。", "Less contrast."),
        Card("sharpen", "image/sharpen", "image/sharpen,300", "锐化。", "Sharper."),
        Card("blur", "image/blur", "image/blur,r_40,s_12", "高斯模糊。", "Blurred by Gauss."),
    ),
)
WATERMARK = Group(
    "watermark",
    "水印",
    "Watermarks",
    (
        Card(
            "watermark-image",
            "image/watermark",
            f"image/watermark,image_{_SIGN},g_nw,x_30,y_30,t_80",
            "同一个桶里的一张图，放在西北角，不透明度 80%。",
            "A picture of the same bucket, north-west, four fifths opaque.",
        ),
        Card(
            "watermark",
            "image/watermark",
            f"image/watermark,text_{_NAME},color_FFFFFF,size_44,shadow_60",
            "一行字；不说位置，就在东南角。",
            "A text; where no place is named, it sits south-east.",
        ),
        Card(
            "watermark-mixed",
            "image/watermark",
            f"image/watermark,image_{_SMALL_SIGN},text_{_SHORT_NAME},color_FFFFFF,size_72,"
            "align_1,interval_20,g_south,y_30",
            "图和字并排；图先缩到主图宽度的 9%。",
            "Picture and text side by side; the picture first takes 9% of the width.",
        ),
        Card(
            "watermark-turned",
            "image/watermark",
            f"image/watermark,text_{_SHORT_NAME},color_FFFFFF,size_200,t_60,rotate_330,g_center",
            "斜着写，半透明。",
            "Written aslant, half seen through.",
        ),
        Card(
            "watermark-tiled",
            "image/watermark",
            f"image/watermark,text_{_NAME},color_FFFFFF,size_36,t_50,rotate_330,fill_1,padx_40,pady_20",
            "铺满整张图。",
            "Repeated over the whole picture.",
        ),
    ),
)
FORMAT = Group(
    "format",
    "格式与质量",
    "Formats and quality",
    (
        Card(
            "format-jpg",
            "image/format",
            "image/resize,w_480/format,jpg",
            "转成 JPEG；和旁边的比一比大小。",
            "As JPEG; compare its size with its neighbours’.",
        ),
        Card("format", "image/format", "image/resize,w_480/format,webp", "转成 WebP。", "As WebP."),
        Card("format-avif", "image/format", "image/resize,w_480/format,avif", "转成 AVIF。", "As AVIF."),
        Card(
            "format-png",
            "image/format",
            "image/resize,w_480/format,png",
            "PNG，无损。",
            "As PNG, without loss.",
        ),
        Card(
            "format-gif",
            "image/format",
            "image/resize,w_480/format,gif",
            "GIF，256 色。",
            "As GIF, in 256 colours.",
        ),
        Card(
            "format-bmp",
            "image/format",
            "image/resize,w_480/format,bmp",
            "BMP，不压缩。",
            "As BMP, not compressed.",
        ),
        Card(
            "format-tiff",
            "image/format",
            "image/resize,w_480/format,tiff",
            "TIFF；多数浏览器不显示它。",
            "As TIFF, which most browsers do not show.",
        ),
        Card(
            "format-heic",
            "image/format",
            "image/resize,w_480/format,heic",
            "HEIC，手机照片的格式；多数浏览器不显示它。",
            "As HEIC, as phones keep photographs; most browsers do not show it.",
        ),
        Card(
            "quality",
            "image/quality",
            "image/crop,x_570,y_90,w_240,h_160/quality,Q_8",
            "绝对质量 8%：小，看得出来。",
            "An absolute quality of 8%: small, and it shows.",
        ),
        Card(
            "quality-relative",
            "image/quality",
            "image/crop,x_570,y_90,w_240,h_160/quality,q_50",
            "原图质量的一半。",
            "Half the quality of the source.",
        ),
        Card(
            "interlace",
            "image/interlace",
            "image/resize,w_480/interlace,1",
            "渐进式 JPEG：慢线路上先模糊后清楚。",
            "A progressive JPEG: on a slow line it is shown coarse first.",
        ),
        Card(
            "strip",
            "image/strip",
            "image/resize,w_480/strip",
            "去掉 EXIF 和缩略图；比第一张 JPEG 小几千字节。",
            "Without EXIF and its thumbnail: some thousand bytes less than the first JPEG.",
        ),
    ),
)
FACTS = Group(
    "facts",
    "信息",
    "Facts",
    (
        Card(
            "info",
            "image/info",
            "image/info",
            "尺寸、格式和 EXIF，以 JSON 返回。",
            "Size, format and EXIF, as JSON.",
            answer='{"Format": {"value": "jpg"}, "ImageWidth": {"value": "960"}}',
        ),
        Card(
            "average-hue",
            "image/average-hue",
            "image/average-hue",
            "平均颜色，可以先铺在图的位置上。",
            "The average colour, to be shown until the picture is there.",
        ),
        Card(
            "average-hue-crop",
            "image/average-hue",
            "image/crop,w_320,h_214,g_south/average-hue",
            "前面可以有别的步骤：只问水面的颜色。",
            "Steps may stand before it: the colour of the water alone.",
        ),
    ),
)
VIDEO = Group(
    "video",
    "视频",
    "Video",
    (
        Card(
            "snapshot",
            "video/snapshot",
            "video/snapshot,t_1700",
            "第 1.7 秒的那一帧。",
            "The frame at 1.7 seconds.",
            FILM,
        ),
        Card(
            "snapshot-fast",
            "video/snapshot",
            "video/snapshot,t_3700,m_fast",
            "3.7 秒之前最近的关键帧，取得更快。",
            "The key frame before 3.7 seconds, which is quicker.",
            FILM,
        ),
        Card(
            "snapshot-small",
            "video/snapshot",
            "video/snapshot,t_3700,w_240,f_png",
            "精确到 3.7 秒，宽 240，PNG。",
            "Exactly 3.7 seconds, 240 pixels wide, as PNG.",
            FILM,
        ),
        Card(
            "snapshot-portrait",
            "video/snapshot",
            "video/snapshot,t_1700,h_360,ar_h",
            "摆成竖的。",
            "Turned so that it stands.",
            FILM,
        ),
        Card(
            "animation",
            "video/animation",
            "video/animation,num_10,w_320,fps_4",
            "全片匀取十帧，做成会动的 WebP。",
            "Ten frames, spread over the film, as a moving WebP.",
            FILM,
        ),
        Card(
            "animation-gif",
            "video/animation",
            "video/animation,ss_1000,num_8,inter_200,w_240,fps_5,f_gif",
            "从第 1 秒起每 0.2 秒一帧，GIF。",
            "From 1 second on, a frame each 0.2 seconds, as GIF.",
            FILM,
        ),
        Card(
            "video-info",
            "video/info",
            "video/info",
            "时长、尺寸、编码、帧率，以 JSON 返回。",
            "Length, size, codecs and frame rate, as JSON.",
            FILM,
            '{"Duration": 5.0, "VideoWidth": 640, "VideoHeight": 360, "FrameRate": 20.0}',
        ),
    ),
)
CHAIN = Group(
    "chain",
    "连起来用",
    "Several together",
    (
        Card(
            "avatar",
            "",
            "image/crop,x_570,y_30,w_260,h_260/circle,r_130/resize,w_160/format,webp",
            "头像：裁剪、圆形、缩小、WebP。",
            "An avatar: crop, circle, smaller, WebP.",
        ),
        Card(
            "banner",
            "",
            "image/resize,w_480,h_180,m_fill/contrast,20/"
            f"watermark,text_{_NAME},color_FFFFFF,size_40,shadow_50,g_center/rounded-corners,r_24/format,webp",
            "横幅：填满、加对比、写字、圆角。",
            "A banner: filled, more contrast, a text, round corners.",
        ),
        Card(
            "bars",
            "",
            "image/rotate,270|image/resize,h_240",
            "也可以用竖线连接，每一段重写开头。",
            "Bars do as well; each part then repeats its beginning.",
        ),
        Card(
            "placeholder",
            "",
            "image/resize,w_48/blur,r_8,s_3/quality,Q_40/format,webp/strip",
            "几百字节的占位图。",
            "A placeholder of a few hundred bytes.",
        ),
    ),
)
GROUPS: tuple[Group, ...] = (SIZE, SHAPE, COLOUR, WATERMARK, FORMAT, FACTS, VIDEO, CHAIN)
CARDS: tuple[Card, ...] = tuple(card for group in GROUPS for card in group.cards)
