#include "common/app/file_watch.hpp"

namespace device_streams {

FileWatch::Stamps FileWatch::look(const std::vector<std::string>& files) const {
    Stamps stamps;
    for (const auto& file : files) stamps[file] = look_(file);
    return stamps;
}

void FileWatch::know(Stamps stamps) {
    known_ = last_ = std::move(stamps);
}

std::vector<std::string> FileWatch::differing(const Stamps& stamps) const {
    std::vector<std::string> files;
    for (const auto& [file, stamp] : stamps) {
        const auto known = known_.find(file);
        if (known == known_.end() || known->second != stamp) files.push_back(file);
    }
    return files;
}

std::vector<std::string> FileWatch::settled_changes() {
    Stamps now;
    for (const auto& [file, stamp] : known_) now[file] = look_(file);
    const bool settled = now == last_;
    last_ = std::move(now);
    return settled ? differing(last_) : std::vector<std::string>();
}

}  // namespace device_streams
