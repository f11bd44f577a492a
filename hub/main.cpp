#include "common/app/process.hpp"
#include "hub/admin/command_line.hpp"
#include "hub/program.hpp"

int main(int argc, char** argv) {
    device_streams::forbid_core_dumps();
    return device_streams::hub::command_line(argc, argv, device_streams::hub::run_hub);
}
