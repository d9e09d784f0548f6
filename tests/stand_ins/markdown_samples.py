"""Generated Markdown with everything in it that a block may hold, for tests of sameness."""

from __future__ import annotations

import re

EVERYTHING = """\
Measured on **WIDER FACE**, `val` split: AP Hard of [[v2@1|the student]] is 78.3 %, \
below −0.5 pt; see [the page](https://example.org/a_b?x=1 "A title 7") and [@kim2025].[^a]

### 4.2 Results

*Precision against recall of v2@1, by subset (synthetic data, val, 80 images).*

| Run      | AP Hard | Why                           |
|:---------|--------:|:------------------------------|
| [[v1@1]] |  71.0 % | `a \\| b`<br>[[v2@1\\|second]] |
| [[v2@1]] |  66.0 % | &#91;x&#93;, 5 &lt; 6         | hidden 12 |

![[loss.png]]
![Loss by epoch 5](attachments/v2@1-loss.png)

1. first, of 3
2. second
   - nested 9

     another paragraph of it
   - nested 10

> [!note] Title 8
> Body with <span data-x="31">no</span> <!-- 45 --> and %% private 67 %%.

$$
L = \\lambda_1 * L_c * \\frac{1}{2} \\\\
$$

The loss is $a*b_1*c$ with \\[\\[no link\\]\\] and \\#notag; \\*no emphasis\\* at 3 * 4.

```text
train:
    epochs: 50  # two
```

<!-- thesis:note epochs 12 -->

[^a]: The values stated beside the code, 2024.

[unused]: https://example.org/2 "Hidden 99"
[unused]: https://example.org/3
"""
"""A link, emphasis, tables, a surplus cell, lists, a callout, comments, formulas, code, notes."""


def unpadded(text):
    """Return TEXT with the cells of its tables as wide as their words."""
    return re.sub(r"(?<=\S) {2,}| {2,}(?=\S)", " ", text)
