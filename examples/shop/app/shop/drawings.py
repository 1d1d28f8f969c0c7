"""What the goods look like: drawings of 120 by 90, so that the page needs nothing from elsewhere."""

SHAPES = {
    "mug": '<path class="b" d="M36 26h42v32a12 12 0 0 1-12 12H48a12 12 0 0 1-12-12z"/><path class="l" d="M78 34h6a10 10 0 0 1 0 20h-6"/>'
    '<path class="t" d="M48 18c-4-5 4-6 0-11M58 18c-4-5 4-6 0-11M68 18c-4-5 4-6 0-11"/>',
    "notebook": '<rect class="b" x="38" y="12" width="48" height="66" rx="4"/><path class="w" d="M52 26h24v12H52z"/>'
    '<path class="t" d="M33 22h10M33 36h10M33 50h10M33 64h10"/>',
    "lamp": '<path class="b" d="M54 14h22l14 28H40z"/><path class="l" d="M65 42v30"/><path class="l" d="M46 75h38"/>'
    '<path class="t" d="M44 52l-8 8M86 52l8 8M65 48v0"/>',
    "plant": '<path class="b" d="M44 52h32l-5 26H49z"/><path class="l" d="M60 52V26"/><circle class="w" cx="44" cy="30" r="11"/>'
    '<circle class="w" cx="76" cy="30" r="11"/><circle class="w" cx="60" cy="16" r="11"/>',
    "clock": '<circle class="b" cx="60" cy="45" r="34"/><circle class="w" cx="60" cy="45" r="26"/><path class="l" d="M60 28v17l12 8"/>',
    "bag": '<path class="b" d="M36 36h48l5 44H31z"/><path class="l" d="M46 44V26a14 14 0 0 1 28 0v18"/>',
}
ANYTHING = '<rect class="b" x="30" y="20" width="60" height="50" rx="6"/>'


def drawing(name: str) -> str:
    return f'<svg viewBox="0 0 120 90" aria-hidden="true">{SHAPES.get(name, ANYTHING)}</svg>'
