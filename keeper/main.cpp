#include "keeper/keeper.hpp"

#include <cstdio>

/// `service-keeper PROGRAM [ARGUMENT...]`: see keeper.hpp.
int main(int argc, char** argv) {
    if (argc < 2) {
        std::fputs("usage: service-keeper PROGRAM [ARGUMENT...]\n", stderr);
        return 64;
    }
    return device_streams::keeper::keep(argv + 1);
}
