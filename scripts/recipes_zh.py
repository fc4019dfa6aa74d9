"""What each step of a recipe does, in Chinese: for docs/recipes.zh.md, which `make docs` writes.

Beside each step stands a digest of the English that its sentences were made from: where the English has
changed since, no page is written before somebody has looked at the Chinese. The steps, their parameters and
ranges stand in `meiku.media`, the recipes' pictures and what is said of them in the example's `gallery.py`.
"""

import re
from collections.abc import Sequence
from zlib import crc32

HEAD = """\
# 处理配方

[English](recipes.md) · 中文

本页由 `make docs` 根据步骤表生成，请勿手改。用法见 [media.zh.md](media.zh.md)。
文字和对象名用 URL 安全的 base64 书写。说明里的字段名见参数表的第二列。
图片是每个配方作用在样图上的结果，`make serve` 的 `/pictures` 页面用的也是这些样图。"""
TOGETHER = "多个步骤连用"
PARAMETERS = ("参数", "字段", "可以是什么")
ITSELF = "值本身"

SENTENCES: dict[str, tuple[str, list[str]]] = {
    "image/resize": (
        "aa41518c",
        [
            "改变大小：按宽高框、按最长边和最短边，或按百分比。",
            "",
            "`main_percent` 只用在水印自己的步骤里：宽度占主图的百分比。",
            "`enlarge`：允许比原图大；否则这样的步骤什么也不改变。",
            "`pad_colour` 填充 PAD 模式留下的空白。FILL、PAD 和 STRETCH 模式下，只写宽或只写高表示正方形。",
        ],
    ),
    "image/crop": (
        "33a3c322",
        [
            "裁出一个矩形，先按 gravity 定位，再按 x 和 y 移动。",
            "",
            "不写宽或高，或写 0，就与图片一样宽或一样高。超出边缘的部分不算在内。",
        ],
    ),
    "image/rotate": (
        "68c351d3",
        [
            "顺时针旋转；不是 90 的倍数时画布会变大。",
            "",
            "`corners` 是图片没有盖住的地方的颜色；不写则透明，输出格式不支持透明时为白色。",
        ],
    ),
    "image/indexcrop": ("02e6057d", ["沿一边切成条，保留从 0 数起的第几条；超出最后一条则不变。"]),
    "image/circle": ("70eec080", ["保留以中心为圆心的圆，半径最多为短边的一半；画布变为圆的外接正方形。"]),
    "image/rounded-corners": ("54b80621", ["把四角变圆，半径最多为短边的一半。"]),
    "image/format": ("e355703f", ["以这种格式输出。"]),
    "image/quality": (
        "ee89a186",
        [
            "JPG 和 WebP 的输出质量（百分比）：相对于原图，或绝对值，二者取一。",
            "",
            "不会高于 JPG 或 WebP 原图的质量：丢掉的回不来。",
        ],
    ),
    "image/interlace": ("41634f8d", ["JPG 是否渐进显示（先模糊后清晰）。"]),
    "image/strip": ("2d9e76cd", ["去掉 EXIF 和其他元数据。"]),
    "image/auto-orient": ("ef2d1d4e", ["按 EXIF 的方向把图片摆正，或保持存储时的样子。"]),
    "image/bright": ("ca8bf69e", ["调亮或调暗，-100 到 100，0 不变。"]),
    "image/contrast": ("1a504780", ["提高或降低对比度，-100 到 100，0 不变。"]),
    "image/sharpen": ("aa43e64e", ["锐化，50 到 399，建议 100。"]),
    "image/blur": ("b3a226b6", ["高斯模糊：半径和标准差，单位都是像素。"]),
    "image/watermark": (
        "9b613640",
        [
            "在图片上叠加图片（`image`）、文字（`text`）或两者。",
            "",
            "`x_px`、`y_px` 是到边缘的距离；位置为 west、center、east 时，`middle_offset_px` 从中线往下移。",
            "`tiled` 铺满整张图，间隔是 `tile_gap_x_px` 和 `tile_gap_y_px`。",
            "`shadow_percent` 是文字阴影的不透明度，`text_angle_degrees` 把文字顺时针旋转。",
            "图文都有时，`order`、`align` 和 `interval_px` 决定两者怎样排列。",
        ],
    ),
    "image/info": ("c8c8a026", ["以 JSON 返回图片的大小、格式和 EXIF。"]),
    "image/average-hue": ("defbdee3", ["以 JSON 返回图片的平均颜色。"]),
    "video/snapshot": (
        "10778032",
        [
            "取一帧画面作为图片。",
            "",
            "`time_ms` 从开头算起。一边写 0 则由另一边推算；两边都写 0 就是视频自己的大小。",
            "`key_frame` 取之前最近的关键帧，比精确取帧更快。",
            "`turn` 不写则保持存储时的方向。",
        ],
    ),
    "video/info": ("105373ee", ["以 JSON 返回视频的时长、大小、编码和各条流。"]),
    "video/animation": (
        "52882881",
        [
            "取多帧做成循环播放的动图。",
            "",
            "`start_ms` 从视频开头算起；`interval_ms` 是视频里两帧之间的间隔，不写则平均分布在余下的视频里。",
            "视频提前结束时，帧数会少一些。`frames_per_second` 是播放的速度。",
            "一边写 0 则由另一边推算；两边都写 0 就是视频自己的大小。",
        ],
    ),
    "sys/saveas": ("9c60c0a9", ["把结果保存为对象；不写桶，就存在原图所在的桶里。"]),
}

_EXPECTED = [
    (r"a whole number from (-?\d+) to (-?\d+)", r"\1 到 \2 的整数"),
    (r"a number from ([\d.]+) to (\d+) with at most two decimals", r"\1 到 \2 的数，最多两位小数"),
    (r"one of (.*)", r"\1 之一"),
    (r"a colour as RRGGBB, six hexadecimal digits", "颜色，写成六位十六进制 RRGGBB"),
    (r"a font, plain or as URL-safe base64: (.*)", r"字体，直接写或用 URL 安全的 base64：\1"),
    (
        r"the URL-safe base64 of a bucket's name: at least (\d+) and at most (\d+) bytes of UTF-8",
        r"桶名的 URL 安全 base64：UTF-8 至少 \1、至多 \2 字节",
    ),
    (
        r"the URL-safe base64 of a key in the same bucket: at most (\d+) bytes of UTF-8",
        r"同一个桶里对象名的 URL 安全 base64：UTF-8 至多 \1 字节",
    ),
    (
        r"the URL-safe base64 of an object's key: at most (\d+) bytes of UTF-8",
        r"对象名的 URL 安全 base64：UTF-8 至多 \1 字节",
    ),
    (
        r"the URL-safe base64 of the text: at most (\d+) bytes of UTF-8",
        r"文字的 URL 安全 base64：UTF-8 至多 \1 字节",
    ),
    (r"'(\w+)'", r"'\1'"),
]


def sentences(name: str, english: Sequence[str]) -> list[str]:
    """Return a step's sentences in Chinese, or raise where the English is not what they were made from."""
    digest, chinese = SENTENCES[name]
    now = f"{crc32(' '.join(english).encode()):08x}"
    if digest != now:
        raise SystemExit(
            f"the English of {name} has changed: see to its Chinese in recipes_zh.py, then write {now}"
        )
    return chinese


def expected(english: str) -> str:
    """Say in Chinese what a parameter may be."""
    for pattern, chinese in _EXPECTED:
        if re.fullmatch(pattern, english):
            return re.sub(pattern, chinese, english, count=1)
    raise SystemExit(f"recipes_zh.py has no Chinese for {english!r}")
