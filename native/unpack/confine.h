// What a hole in the parser or a decompressor could still do: as little as possible.
#pragma once

// No memory without bound, no core file, dies with its parent, no new privileges.
void confine_process(void);
// For the child: no capability, nobody's ids, and no call but those on memory and open descriptors.
void confine_decompressor(void);
// For the writer: its root is the layer's folder, only the capabilities that writing a layer takes, and only its calls.
void confine_writer(int folder);
